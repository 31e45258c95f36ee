-- Writes the entry unless there is one. Run by Redis, not by nginx.
-- KEYS  1 entry (hash)   2 entries by the end of their lease (zset)
-- ARGV  1 owner   2 message   3 length of the lease, milliseconds   4 how long the entry lives, milliseconds
-- Returns {'fresh'}, or {state, message, answer} of the entry that is there, 'claimed' or 'answered'.
local state = redis.call('HGET', KEYS[1], 'state')
if state then return { state, unpack(redis.call('HMGET', KEYS[1], 'message', 'answer')) } end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], 'state', 'claimed', 'owner', ARGV[1], 'message', ARGV[2], 'at', string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('ZADD', KEYS[2], string.format('%.0f', now + ARGV[3]), KEYS[1])
return { 'fresh' }
