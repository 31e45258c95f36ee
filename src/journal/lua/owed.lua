#!lua flags=allow-oom
-- Reads what one shard owes. Not flagged as read-only on purpose: a replica refuses it.
--
-- KEYS  1 owed entries (zset)   2 sums of what is owed (hash)
-- Returns now, the time since when the oldest is owed ('' where nothing is), and the sums as a list of pairs, name and
-- sum; all as text.
-- Errors: WRONGTYPE.

local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local oldest = redis.call('ZRANGE', KEYS[1], '0', '0', 'WITHSCORES')
return { now, oldest[2] or '', redis.call('HGETALL', KEYS[2]) }
