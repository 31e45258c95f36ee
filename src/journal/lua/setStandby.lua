#!lua flags=allow-oom
-- Puts the site on standby, or back to work. It may run when memory is short: it is one short text, and an operator who
-- moves the callers away must not have to wait for memory.
--
-- KEYS  1 standby (hash)
-- ARGV  1 where callers are sent; '' lets the site work   2 'always', or 'ifUnsaid': only where nothing is there
-- Returns 'set', or 'said' where something was there.
-- Errors, with nothing written: WRONGTYPE.

local standby, location = KEYS[1], ARGV[1]
if ARGV[2] == 'ifUnsaid' and redis.call('HLEN', standby) > 0 then return 'said' end
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('HSET', standby, 'location', location, 'since', now)
return 'set'
