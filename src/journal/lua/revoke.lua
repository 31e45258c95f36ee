#!lua flags=allow-oom
-- Adds one to what is revoked, and removes what has expired. It may run when memory is short: what is revoked is
-- bounded, and must not wait.
--
-- KEYS  1 what is revoked, by the time until which (zset)
-- ARGV  1 member   2 time until which it is revoked   3 milliseconds from now for which it is revoked at least
--       4 how many there may be
-- Returns 'revoked', or 'full' where there are as many already.
-- Errors, with nothing written: WRONGTYPE.

local revoked, member = KEYS[1], ARGV[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local untilMs = math.max(tonumber(ARGV[2]), now + ARGV[3])

redis.call('ZREMRANGEBYSCORE', revoked, '-inf', string.format('%.0f', now))
if redis.call('ZCARD', revoked) >= tonumber(ARGV[4]) and not redis.call('ZSCORE', revoked, member) then
  return 'full'
end
-- GT: nobody shortens what somebody else has asked for.
redis.call('ZADD', revoked, 'GT', string.format('%.0f', untilMs), member)
local last = redis.call('ZRANGE', revoked, '-1', '-1', 'WITHSCORES')
redis.call('PEXPIREAT', revoked, string.format('%.0f', tonumber(last[2])))
return 'revoked'
