#!lua flags=allow-oom
-- Names the entries of one shard whose time has come, lane by lane, oldest first, and tells what shows a loss of data.
-- Takes nothing. Not flagged as read-only on purpose: a replica refuses it.
--
-- KEYS  1 writes of the shard (counter)   2 epoch of the shard (hash)   3.. the lanes (zsets)
-- ARGV  for each lane the most names to give; then the last two, see epoch.lua
-- Returns, all as text: a list of now, writes, epoch ('' where none), the time until which the shard takes no money (''
-- where it does), '1' where claims are held, else ''; then for each lane in order a list of pairs: name, time at which it wakes.
-- Errors: WRONGTYPE.

local id, untilMs, _, held = epochOf(KEYS[2], KEYS[1])
local now = timeNow()
local isHeld = held and tonumber(held) > now
local nowText = string.format('%.0f', now)
local found = { { nowText, redis.call('GET', KEYS[1]) or '0', id or '', untilMs or '', isHeld and '1' or '' } }
for i = 3, #KEYS do
  found[i - 1] = redis.call('ZRANGE', KEYS[i], '-inf', nowText, 'BYSCORE', 'LIMIT', '0', ARGV[i - 2], 'WITHSCORES')
end
return found
