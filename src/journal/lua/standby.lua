#!lua flags=allow-oom
-- Reads whether the site stands by. Not flagged as read-only on purpose: a replica refuses it.
--
-- KEYS  1 standby (hash)
-- Returns, all as text: where callers are sent ('' while the site works), since when; nothing where it was never said.
-- Errors: WRONGTYPE.

local location, since = unpack(redis.call('HMGET', KEYS[1], 'location', 'since'))
if not location then return {} end
return { location, since }
