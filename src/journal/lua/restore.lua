#!lua flags=allow-oom
-- Writes an entry again that the store has lost, as it was, unless its key has one. It may run when memory is short: what
-- was begun must be able to end.
--
-- KEYS  1 entry (hash)   2 lane that it waits in (zset)   3 owed entries (zset)   4 sums of what is owed (hash)
--       5 writes of the shard (counter)   6 epoch of the shard (hash)
-- ARGV  1 version   2 writeId   3 time at which it was claimed   4 head   5 message   6 sealed answer, '' where none
--       7 name of the entry in the zsets   8 time at which it wakes in the lane; '' where it waits in none
--       9 time since when it is owed; '' where it is not   10 milliseconds until it expires; '' never
--       11.. pairs: name of a sum, what to add to it (decimal text; Lua's numbers are not exact); the last two, see epoch.lua
--
-- Returns, all as text:
--   'restored'
--   'there', now, version, claimedAt, head, message, answer    the entry that is there (answer null where there is none)
-- Errors, with nothing written: WRONGTYPE.

local entry, lane, owed, sums, writes, epoch = unpack(KEYS)
local name, answer, wakeAt, owedSince, lifetime = ARGV[7], ARGV[6], ARGV[8], ARGV[9], ARGV[10]

local version, at, head, message, oldAnswer =
  unpack(redis.call('HMGET', entry, 'v', 'at', 'head', 'message', 'answer'))
if version then
  local now = string.format('%.0f', timeNow())
  return { 'there', now, version, at, head, message, oldAnswer }
end

-- A script that fails half-way keeps what it wrote: whatever could fail is tried before the first write.
redis.call('ZCARD', lane)
redis.call('ZCARD', owed)
redis.call('HLEN', sums)
epochOf(epoch, writes)

redis.call('HSET', entry, 'v', ARGV[1], 'w', ARGV[2], 'at', ARGV[3], 'head', ARGV[4], 'message', ARGV[5])
if answer ~= '' then redis.call('HSET', entry, 'answer', answer) end
if wakeAt ~= '' then redis.call('ZADD', lane, wakeAt, name) end
if owedSince ~= '' then redis.call('ZADD', owed, owedSince, name) end
if lifetime ~= '' then redis.call('PEXPIRE', entry, lifetime) end
-- Last, and without raising: a sum or a count out of range must not undo it.
for i = 11, #ARGV - 2, 2 do
  redis.pcall('HINCRBY', sums, ARGV[i], ARGV[i + 1])
end
redis.pcall('INCR', writes)
return { 'restored' }
