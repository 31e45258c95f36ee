#!lua
-- Remembers a name, unless it is remembered already. Refused when memory is short: it opens new business.
--
-- KEYS  1 name (string)
-- ARGV  1 time until which it is remembered   2 milliseconds from now for which it is remembered at least
-- Returns 'first' where this call wrote it, else 'again'.
-- Errors: none of its own; a key of another kind is there, and so 'again'.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- A server whose clock is ahead would forget at once what it is to remember until a time that has passed for it.
local untilMs = math.max(tonumber(ARGV[1]), now + ARGV[2])
if redis.call('SET', KEYS[1], '1', 'NX', 'PXAT', string.format('%.0f', untilMs)) then return 'first' end
return 'again'
