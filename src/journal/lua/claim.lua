#!lua
-- Writes the first version of an entry, unless its key has one already. Needs Redis 7: the first line makes the server
-- check memory, role and replicas before the script begins, so that a refused call has certainly done nothing.
--
-- KEYS  1 entry (hash)   2 writes of the shard (counter)   3 lane that it waits in (zset)
--       4 owed entries (zset)   5 sums of what is owed (hash)   6 epoch of the shard (hash)
-- ARGV  1 writeId   2 head   3 message   4 name of the entry in the zsets
--       5 milliseconds from now until its time in the lane comes   6 '1' where it is owed from now on, else '0'
--       7 writes that the caller last saw of the shard   8 epoch that it last saw, '' where none
--       9 epoch to begin where the shard has none   10 '1' where the entry moves money, else '0'
--       11.. pairs: name of a sum, what to add to it (decimal text; Lua's numbers are not exact); the last two, see epoch.lua
--
-- Returns, all as text:
--   'fresh now claimedAt writes epoch'                     this writeId has just written version 1; the same as one text,
--                                                          which the library reads four times as quickly as a list
--   'fresh', now, claimedAt, writes, epoch                 it wrote version 1 in an earlier call
--   'exists', now, version, claimedAt, head, message, answer    the entry that is there (answer null where there is none)
--   'amnesia', now, until    nothing was written: the shard lacks what the caller has seen of it ('until' empty, see
--                            amnesia.lua), or has lost data and takes no money until then
--   'calm'                   nothing was written: another server holds the shard since moments ago, see epoch.lua
-- Errors, with nothing written: WRONGTYPE, or ERR where the counter is not one.

local entry, writes, lane, owed, sums, epoch = unpack(KEYS)
local writeId, head, message, name = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local isOwed, seenWrites, seenEpoch = ARGV[6] == '1', tonumber(ARGV[7]), ARGV[8]

local now = timeNow()
local nowText = string.format('%.0f', now)

local id, untilMs, calm = epochOf(epoch, writes)
local version, writer, at, oldHead, oldMessage, answer =
  unpack(redis.call('HMGET', entry, 'v', 'w', 'at', 'head', 'message', 'answer'))
if version == '1' and writer == writeId then
  return { 'fresh', nowText, at, redis.call('GET', writes), id }
end
if version then
  return { 'exists', nowText, version, at, oldHead, oldMessage, answer }
end

if tonumber(redis.call('GET', writes) or '0') < seenWrites or (seenEpoch ~= '' and id ~= seenEpoch) then
  return { 'amnesia', nowText, '' }
end
if ARGV[10] == '1' then
  if untilMs and tonumber(untilMs) > now then return { 'amnesia', nowText, untilMs } end
  if calm and tonumber(calm) > now then return { 'calm' } end
end

-- A script that fails half-way keeps what it wrote: whatever could fail is tried before the first write.
redis.call('ZCARD', lane)
if isOwed then
  redis.call('ZCARD', owed)
  redis.call('HLEN', sums)
end

local count = redis.call('INCR', writes)
if not id then
  id = ARGV[9]
  redis.call('HSET', epoch, 'id', id, 'server', SERVER)
end
redis.call('HSET', entry, 'v', '1', 'w', writeId, 'at', nowText, 'head', head, 'message', message)
redis.call('ZADD', lane, string.format('%.0f', now + ARGV[5]), name)
if isOwed then redis.call('ZADD', owed, nowText, name) end
-- Last, and without raising: a sum out of range must not undo the claim.
for i = 11, #ARGV - 2, 2 do
  redis.pcall('HINCRBY', sums, ARGV[i], ARGV[i + 1])
end
return string.format('fresh %s %s %.0f %s', nowText, nowText, count, id)
