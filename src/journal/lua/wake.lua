#!lua flags=allow-oom
-- Names the entries of one shard whose time has come, lane by lane, oldest first. Takes nothing. Not flagged as
-- read-only on purpose: a replica refuses it.
--
-- KEYS  the lanes (zsets)
-- ARGV  for each lane the most names to give
-- Returns, for each lane in order, a list of pairs, all as text: name, time at which it wakes.
-- Errors: WRONGTYPE.

local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local found = {}
for i, lane in ipairs(KEYS) do
  found[i] = redis.call('ZRANGE', lane, '-inf', now, 'BYSCORE', 'LIMIT', '0', ARGV[i], 'WITHSCORES')
end
return found
