#!lua flags=allow-oom
-- Asked by whoever misses what it has seen of a shard: says whether data was lost, and if so begins another epoch, takes
-- no money for a while and keeps the time of the loss for `once.lua`. A loss that somebody has noticed before is not
-- counted again: its epoch is among the lost. Asked at the start, too: a shard of which nothing is known gets its first
-- epoch, and from then on whoever has seen that notices when it is gone. It may run when memory is short: it is one small
-- hash.
--
-- KEYS  1 epoch of the shard (hash)   2 writes of the shard (counter)
-- ARGV  1 writes that the caller last saw   2 epoch that it last saw, '' where none   3 epoch to begin
--       4 milliseconds from now for which no money is taken; then the last two, see epoch.lua: for as long as a shard is
--       calm no claim is taken over, since its end may be among what is lost, and is written again soon
-- Returns, all as text: 'lost', 'known' (lost, and noticed before) or 'kept' (nothing is missing); then now, writes,
-- epoch, the time until which the shard takes no money ('' where it does).
-- Errors, with nothing written: WRONGTYPE, or ERR where the counter is not one.

-- Processes that have seen nothing since are asked about once; nobody remembers more epochs of one shard than that.
local LOST_CHARACTERS = 1000

local epoch, seenWrites, seenEpoch = KEYS[1], tonumber(ARGV[1]), ARGV[2]
local now = timeNow()
local name, untilMs = epochOf(epoch, KEYS[2])
local lost, past, life = unpack(redis.call('HMGET', epoch, 'lost', 'past', 'life'))
local writes = redis.call('GET', KEYS[2]) or '0'
name, untilMs, lost, past = name or '', untilMs or '', lost or '', past or ''

-- How many writes its epoch had; nothing where nobody knows of it. A counter that is none raises.
local had = 0 + writes
local isOther = seenEpoch ~= '' and name ~= seenEpoch
if isOther then
  local at = string.find(' ' .. past, ' ' .. seenEpoch .. ' ', 1, true)
  had = at and tonumber(string.match(past, '^%d+', at + #seenEpoch + 1))
end

-- By its id alone, whatever lives of servers it went through, and as older versions know it.
local function idOf(epochName) return string.match(epochName, '^[^.]*') end

local kind = 'kept'
if isOther and string.find(' ' .. lost .. ' ', ' ' .. idOf(seenEpoch) .. ' ', 1, true) then
  kind = 'known'
elseif not had or had < seenWrites then
  kind = 'lost'
  if seenEpoch ~= '' then lost = lost .. ' ' .. idOf(seenEpoch) end
  if isOther and name ~= '' then lost = lost .. ' ' .. idOf(name) end
  if #lost > LOST_CHARACTERS then lost = string.gsub(string.sub(lost, -LOST_CHARACTERS), '^%S*', '') end
  name, untilMs = nameOf(ARGV[3], life), string.format('%.0f', now + ARGV[4])
  redis.call('HSET', epoch, 'id', ARGV[3], 'lost', lost, 'until', untilMs, 'lostAt', string.format('%.0f', now))
  redis.call('HSET', epoch, 'server', SERVER, 'held', string.format('%.0f', now + CALM_MS))
elseif name == '' then
  name = ARGV[3]
  redis.call('HSET', epoch, 'id', name, 'server', SERVER)
end
return { kind, string.format('%.0f', now), writes, name, untilMs }
