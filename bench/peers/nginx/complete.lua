-- Writes the answer, if the entry still belongs to this owner. Run by Redis, not by nginx.
-- KEYS  1 entry (hash)   2 entries by the end of their lease (zset)
-- ARGV  1 owner   2 answer
-- Returns 'done', or 'lost' where it belongs to somebody else or is gone.
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 'lost' end
redis.call('HSET', KEYS[1], 'state', 'answered', 'answer', ARGV[2])
redis.call('ZREM', KEYS[2], KEYS[1])
return 'done'
