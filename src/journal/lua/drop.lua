#!lua flags=allow-oom
-- Forgets the name of an entry that is gone, so that nobody looks for it again. Entries in a lane never expire: this
-- happens only where data was lost.
--
-- KEYS  1 entry (hash)   2 lane (zset)   3 owed entries (zset)
-- ARGV  1 name of the entry in the zsets
-- Returns 'dropped', or 'there' where the entry exists after all.
-- Errors, with nothing written: WRONGTYPE.

if redis.call('EXISTS', KEYS[1]) == 1 then return 'there' end
redis.call('ZCARD', KEYS[3])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
return 'dropped'
