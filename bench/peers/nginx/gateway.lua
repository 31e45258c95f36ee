-- What the peer does with one request, in the order of the gateway's own journey: name the client by the SHA-256 of its
-- token, prove the message, claim it in Redis, forward it, write down what came of it, answer. It has no breaker, seals
-- nothing, undoes nothing and counts nothing, so that it is a bar for the work that both do.
local cjson = require 'cjson.safe'
local resp = require 'resp'
local sha256 = require 'sha256'

local gateway = {}

-- As the gateway's defaults: a lease of the caller's budget and two seconds, entries for a week.
local LEASE_MS, RETENTION_MS = 5000, 604800000
-- A random name for this process, so that owners of claims differ between processes as well.
local OWNER = ngx and string.format('%x-%x-', ngx.time(), math.random(0, 0x7fffffff))

-- What a message must have, and what it must look like.
local REQUIRED = {
  participantId = [[^[^\x00-\x1f]{1,15}$]],
  tranBranch = [[^[A-Za-z0-9]{1,10}$]],
  tranChnl = [[^[A-Za-z0-9]{1,10}$]],
  tranDate = [[^[0-9]{8}$]],
  tranTime = [[^[0-9]{6}$]],
  tranId = [[^[A-Za-z0-9_-]{1,32}$]],
  cardToken = [[^[A-Za-z0-9_-]{1,32}$]],
  tranAmount = [[^[0-9]{1,13}(\.[0-9]{1,3})?$]],
  tranCurrency = [[^[0-9]{3}$]],
}

local settings, claim, complete
local claims = 0

local function read(path)
  local file = assert(io.open(path, 'rb'))
  local text = file:read('*a')
  file:close()
  return text
end

-- Called once, before there are workers. Settings: redis {host, port, database}, clients {digest in hex = {id, participants}}.
function gateway.init(here, settings_file)
  settings = assert(cjson.decode(read(settings_file)))
  local clients = {}
  for hex, client in pairs(settings.clients) do
    clients[(hex:gsub('..', function(byte) return string.char(tonumber(byte, 16)) end))] = client
  end
  settings.clients = clients
  claim = resp.script(read(here .. '/claim.lua'))
  complete = resp.script(read(here .. '/complete.lua'))
end

-- Answers are at most a few kilobytes; the status goes into the log as `outcome`.
local function answer(status, outcome, body)
  ngx.status = status
  ngx.var.outcome = outcome
  ngx.header['Content-Length'] = #body
  ngx.header['timestamp'] = tostring(ngx.time())
  return ngx.print(body)
end

local function refuse(status, message, code, description)
  ngx.var.code = code
  return answer(status, 'refused', cjson.encode({
    participantId = message.participantId,
    tranId = message.tranId,
    responseCode = code,
    responseDesc = description,
  }))
end

local function client_of(authorization)
  local token = authorization and authorization:match('^Bearer ([A-Za-z0-9._~+/-]+=*)$')
  return token and #token <= 64 and settings.clients[sha256(token)]
end

-- The first field that is missing or malformed.
local function fault_of(message, client)
  for field, form in pairs(REQUIRED) do
    local value = message[field]
    if type(value) ~= 'string' or not ngx.re.find(value, form, 'jo') then return field end
  end
  if not client.participants[message.participantId] then return 'participantId' end
end

-- Somebody was first: its answer if this is the same message, else no.
local function tell(message, body, found)
  local state, first, stored = found[1], found[2], found[3]
  if first ~= body then return refuse(400, message, '94', 'tranId was used for another message') end
  if state == 'claimed' then return refuse(200, message, '09', 'in progress') end
  ngx.header['Idempotent-Replayed'] = 'true'
  return answer(200, 'replayed', stored)
end

local function forward(message, body, path)
  local reply = ngx.location.capture('/issuer/' .. path .. '?id=' .. message.tranId, {
    method = ngx.HTTP_POST,
    body = body,
  })
  if reply.status ~= 200 or reply.truncated then return nil end
  return reply.body
end

function gateway.serve()
  local client = client_of(ngx.var.http_authorization)
  if not client then return refuse(403, {}, '57', 'token not valid') end
  ngx.var.client = client.id
  ngx.req.read_body()
  local body = ngx.req.get_body_data()
  local message = body and cjson.decode(body)
  if type(message) ~= 'table' then return refuse(400, {}, '30', 'not JSON') end
  local fault = fault_of(message, client)
  if fault then return refuse(400, message, '30', fault) end

  local entry = 'entry:' .. message.participantId .. ':' .. message.tranId
  claims = claims + 1
  local owner = OWNER .. claims
  local found = resp.run(settings.redis, claim, { entry, 'leases' }, { owner, body, LEASE_MS, RETENTION_MS })
  if not found then return refuse(503, message, '91', 'journal away') end
  if found[1] ~= 'fresh' then return tell(message, body, found) end

  local told = forward(message, body, ngx.var.uri:sub(11))
  local code = told and '00' or '68'
  told = told or cjson.encode({ participantId = message.participantId, tranId = message.tranId, responseCode = code })
  local done = resp.run(settings.redis, complete, { entry, 'leases' }, { owner, told })
  if done ~= 'done' then return refuse(200, message, '09', 'in progress') end
  ngx.var.code = code
  return answer(200, 'answered', told)
end

return gateway
