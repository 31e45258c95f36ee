-- Stands before every script that writes to a shard or looks at it (see redisScripts.ts). An epoch of a shard belongs to
-- one life of one server. Where another server is found to hold the shard, or the same one after a restart, the next epoch
-- begins, and how many writes there were at the end of the one before is kept. Who has seen more than those in that epoch
-- knows for certain that data was lost, however much was written since (as term and index do in Raft, section 5.3).
--
-- The last two arguments of each such script are added where it is handed to a connection: the name of the server's life
-- ('' where it does not tell), and for how many milliseconds the shard is calm if an epoch begins now: who has seen what is
-- lost may not have been here yet, so that no money is begun, no name taken, and no claim taken over. A shard that is moved within a
-- Cluster loses nothing, and is calm all the same: no gateway can tell the one from the other for certain.
--
-- An epoch that begins is a write of its own: it stands even where the script then refuses, or fails.
--
-- In the hash of the epoch: id; server; life, which makes the name of an epoch with the id, so that older versions, which
-- know the id alone, take no new life for a loss; past, 'name writes ' for each epoch before; calm, the time until which
-- the shard is calm; held, until which claims are not taken over; and what amnesia.lua keeps there.

local SERVER, CALM_MS = ARGV[#ARGV - 1], ARGV[#ARGV]
-- About twenty: nobody sleeps through more switches of the server.
local PAST_CHARACTERS = 1000

local function timeNow()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function nameOf(id, life) return life and id .. '.' .. life or id end

-- The epoch of now: its name (false where there is none), the time until which the shard takes no money after a loss, the
-- one until which it is calm, and the one until which claims are held (each false where there is none).
local function epochOf(epoch, writes)
  local id, server, life, untilMs, calm, held =
    unpack(redis.call('HMGET', epoch, 'id', 'server', 'life', 'until', 'calm', 'held'))
  if not id or SERVER == '' or server == SERVER then return id and nameOf(id, life), untilMs, calm, held end
  -- Not known where an older version, or a server that did not tell, began it.
  if not server or server == '' then
    redis.call('HSET', epoch, 'server', SERVER)
    return nameOf(id, life), untilMs, calm, held
  end
  local past = redis.call('HGET', epoch, 'past') or ''
  past = past .. nameOf(id, life) .. ' ' .. (redis.call('GET', writes) or '0') .. ' '
  if #past > PAST_CHARACTERS then past = string.gsub(string.sub(past, -PAST_CHARACTERS), '^%S*', '') end
  local now = timeNow()
  life, calm = string.format('%s.%.0f', SERVER, now), string.format('%.0f', now + CALM_MS)
  redis.call('HSET', epoch, 'server', SERVER, 'life', life, 'past', past, 'calm', calm, 'held', calm)
  return nameOf(id, life), untilMs, calm, calm
end
