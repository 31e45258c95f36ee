#!lua
-- Remembers a name, unless it is remembered already, or may have been before data was lost. Refused when memory is
-- short: it opens new business. It counts as a write of the shard, so that a name that is lost shows.
--
-- KEYS  1 name (string)   2 writes of the shard (counter)   3 epoch of the shard (hash)
-- ARGV  1 time until which it is remembered   2 milliseconds from now for which it is remembered at least
--       3 milliseconds before now since when it may have been taken
--       4 writes that the caller last saw of the shard   5 epoch that it last saw, '' where none
--       6 epoch to begin where the shard has none; then the last two, see epoch.lua
-- Returns, all as text:
--   'first', writes, epoch    this call wrote it
--   'again'                   it was there
--   'missed'                  nothing was written: the shard lacks what the caller has seen of it, see amnesia.lua
--   'forgotten'               nothing was written: it may have been taken before the shard lost data, or the shard is calm
-- Errors, with nothing written: WRONGTYPE, or ERR where the counter is not one. A name of another kind is there, and so
-- 'again'.

local name, writes, epoch = unpack(KEYS)
local seenWrites, seenEpoch = tonumber(ARGV[4]), ARGV[5]
if redis.call('EXISTS', name) == 1 then return { 'again' } end

local id, _, calm = epochOf(epoch, writes)
if tonumber(redis.call('GET', writes) or '0') < seenWrites or (seenEpoch ~= '' and id ~= seenEpoch) then
  return { 'missed' }
end
local now = timeNow()
if calm and tonumber(calm) > now then return { 'forgotten' } end
local lostAt = redis.call('HGET', epoch, 'lostAt')
if lostAt and now - ARGV[3] <= tonumber(lostAt) then return { 'forgotten' } end

local count = redis.call('INCR', writes)
if not id then
  id = ARGV[6]
  redis.call('HSET', epoch, 'id', id, 'server', SERVER)
end
-- A server whose clock is ahead would forget at once what it is to remember until a time that has passed for it.
local untilMs = math.max(tonumber(ARGV[1]), now + ARGV[2])
redis.call('SET', name, '1', 'PXAT', string.format('%.0f', untilMs))
return { 'first', string.format('%.0f', count), id }
