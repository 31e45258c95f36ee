#!lua flags=allow-oom
-- Reads what is revoked now. Not flagged as read-only on purpose: a replica refuses it.
--
-- KEYS  1 what is revoked, by the time until which (zset)
-- Returns a list of two: the time now, and a list of pairs, all as text: member, time until which it is revoked.
-- Errors: WRONGTYPE.

local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
return {now, redis.call('ZRANGE', KEYS[1], '(' .. now, '+inf', 'BYSCORE', 'WITHSCORES')}
