#!lua flags=allow-oom
-- Writes one version of an entry over the one before. It may run when memory is short: only claims open new business,
-- and what was begun must be able to end. Refused calls (role, replicas) have certainly done nothing.
--
-- KEYS  1 entry (hash)   2 lane that it leaves (zset)   3 lane that it enters (zset)
--       4 owed entries (zset)   5 sums of what is owed (hash)   6 writes of the shard (counter)   7 epoch of the shard (hash)
-- ARGV  1 version expected   2 version written   3 writeId   4 head   5 name of the entry in the zsets
--       6 sealed answer; '=' leaves the one that is there, '' removes it
--       7 time at which it wakes in the lane that it enters; '' where it enters none
--       8 time since when it is owed; '=' as before, '' not any more
--       9 milliseconds until it expires; '=' as before, '' never
--       10 time of the claim of the version expected: the same version of an entry that was lost and claimed anew is another
--       11 head of the version expected: where the store has lost it, another one may have its number
--       12 where a claim is taken over, the epoch that the caller last saw, '' where none; else '='
--       13.. pairs: name of a sum, what to add to it (decimal text; Lua's numbers are not exact); the last two, see epoch.lua
--
-- Returns, all as text:
--   'moved writes epoch'                                    this writeId has just written the version; one text, which
--                                                           the library reads twice as quickly as a list
--   'moved', writes, epoch                                  it wrote the version in an earlier call, or the count is broken
--                                                           (epoch null where there is none)
--   'lost', now, version, claimedAt, head, message, answer  the entry as it is (answer null where there is none)
--   'lost', now                                             the entry is gone
--   'held'                                                  nothing was written: the claim may have ended in what was
--                                                           lost, see epoch.lua
-- Errors, with nothing written: WRONGTYPE.

local entry, left, entered, owed, sums, writes, epoch = unpack(KEYS)
local expected, written, writeId, head, name = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local answer, wakeAt, owedSince, lifetime, claimedAt = ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10]
local headExpected, takenOverIn = ARGV[11], ARGV[12]

local version, writer, at, oldHead, oldMessage, oldAnswer =
  unpack(redis.call('HMGET', entry, 'v', 'w', 'at', 'head', 'message', 'answer'))
local id, _, _, held = epochOf(epoch, writes)
if version == written and writer == writeId then return { 'moved', redis.call('GET', writes), id } end
if version ~= expected or at ~= claimedAt or oldHead ~= headExpected then
  local now = string.format('%.0f', timeNow())
  if not version then return { 'lost', now } end
  return { 'lost', now, version, at, oldHead, oldMessage, oldAnswer }
end

if takenOverIn ~= '=' and (id ~= takenOverIn or (held and tonumber(held) > timeNow())) then return { 'held' } end

-- A script that fails half-way keeps what it wrote: whatever could fail is tried before the first write.
redis.call('ZCARD', left)
if entered ~= left then redis.call('ZCARD', entered) end
if owedSince ~= '=' then redis.call('ZCARD', owed) end
if #ARGV > 14 then redis.call('HLEN', sums) end

redis.call('HSET', entry, 'v', written, 'w', writeId, 'head', head)
if answer == '' then
  redis.call('HDEL', entry, 'answer')
elseif answer ~= '=' then
  redis.call('HSET', entry, 'answer', answer)
end
if wakeAt == '' or entered ~= left then redis.call('ZREM', left, name) end
if wakeAt ~= '' then redis.call('ZADD', entered, wakeAt, name) end
if owedSince == '' then
  redis.call('ZREM', owed, name)
elseif owedSince ~= '=' then
  redis.call('ZADD', owed, owedSince, name)
end
if lifetime == '' then
  redis.call('PERSIST', entry)
elseif lifetime ~= '=' then
  redis.call('PEXPIRE', entry, lifetime)
end
-- Last, and without raising: a sum or a count out of range must not undo the move.
for i = 13, #ARGV - 2, 2 do
  redis.pcall('HINCRBY', sums, ARGV[i], ARGV[i + 1])
end
local count = redis.pcall('INCR', writes)
if type(count) ~= 'number' or not id then return { 'moved', false, id } end
return string.format('moved %.0f %s', count, id)
