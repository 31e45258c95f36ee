#!lua flags=allow-oom
-- Names the entries of one shard whose time has come, lane by lane, oldest first, and tells what shows a loss of data.
-- Takes nothing. Not flagged as read-only on purpose: a replica refuses it.
--
-- KEYS  1 writes of the shard (counter)   2 epoch of the shard (hash)   3.. the lanes (zsets)
-- ARGV  for each lane the most names to give
-- Returns, all as text: a list of now, writes, epoch ('' where none), the time until which the shard takes no money (''
-- where it does); then for each lane in order a list of pairs: name, time at which it wakes.
-- Errors: WRONGTYPE.

local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local id, untilMs = unpack(redis.call('HMGET', KEYS[2], 'id', 'until'))
local found = { { now, redis.call('GET', KEYS[1]) or '0', id or '', untilMs or '' } }
for i = 3, #KEYS do
  found[i - 1] = redis.call('ZRANGE', KEYS[i], '-inf', now, 'BYSCORE', 'LIMIT', '0', ARGV[i - 2], 'WITHSCORES')
end
return found
