#!lua
-- Fills a journal of the bench: copies of one entry under many keys. Each is written in the two steps of claim.lua and
-- move.lua, with their commands, so that the server gets and gives back memory as it does for them.
--
-- KEYS  the entries (hashes)
-- ARGV  1 milliseconds until they expire   2 how many of the following belong to the claim
--       3.. pairs of field and value: those of the claim, then those of the settle
-- Returns how many were written. Errors: WRONGTYPE.

local claim, settle, fields = {}, {}, {}
for i = 3, #ARGV do
  local step = i - 2 <= tonumber(ARGV[2]) and claim or settle
  step[#step + 1] = ARGV[i]
end
for i = 1, #claim, 2 do
  fields[#fields + 1] = claim[i]
end
for _, entry in ipairs(KEYS) do
  redis.call('HSET', entry, unpack(claim))
  redis.call('HMGET', entry, unpack(fields))
  redis.call('HSET', entry, unpack(settle))
  redis.call('PEXPIRE', entry, ARGV[1])
end
return #KEYS
