#!lua flags=allow-oom
-- Reads an entry together with the journal's clock. Not flagged as read-only on purpose: a replica refuses it, so that
-- a primary that was demoted is noticed and never believed.
--
-- KEYS  1 entry (hash)
-- Returns, all as text: now, version, claimedAt, head, message, answer (null where there is none); only now where there
-- is no entry.
-- Errors: WRONGTYPE.

local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local version, at, head, message, answer =
  unpack(redis.call('HMGET', KEYS[1], 'v', 'at', 'head', 'message', 'answer'))
if not version then return { now } end
return { now, version, at, head, message, answer }
