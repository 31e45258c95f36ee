-- Runs scripts in Redis over nginx's sockets that wait without blocking: just enough of RESP2 for EVALSHA and its replies.
-- Connections are kept and used again; a failed one is closed, and the call fails with it.
local resp = {}

local TIMEOUT_MS, IDLE_MS, POOL = 1000, 60000, 256

-- A script with the name that Redis gives it.
function resp.script(text)
  local digest = ngx.sha1_bin(text)
  return { text = text, sha1 = (digest:gsub('.', function(byte) return string.format('%02x', byte:byte()) end)) }
end

local function encode(words)
  local parts = { '*', #words, '\r\n' }
  for i = 1, #words do
    local word = tostring(words[i])
    parts[#parts + 1] = '$' .. #word .. '\r\n' .. word .. '\r\n'
  end
  return parts
end

-- The reply; nil and a reason where there is none. `ngx.null` stands for what is not there.
local function read(socket)
  local line, failure = socket:receive('*l')
  if not line then return nil, failure end
  local kind, rest = line:sub(1, 1), line:sub(2)
  if kind == '+' then return rest end
  if kind == ':' then return tonumber(rest) end
  if kind == '-' then return nil, rest end
  local count = tonumber(rest)
  if count < 0 then return ngx.null end
  if kind == '$' then
    local text, broken = socket:receive(count + 2)
    if not text then return nil, broken end
    return text:sub(1, -3)
  end
  local list = {}
  for i = 1, count do
    local item, broken = read(socket)
    if item == nil then return nil, broken end
    list[i] = item
  end
  return list
end

local function ask(socket, ...)
  local _, failure = socket:send(encode({ ... }))
  if failure then return nil, failure end
  return read(socket)
end

local function connected(server)
  local socket = ngx.socket.tcp()
  socket:settimeout(TIMEOUT_MS)
  local is_up = socket:connect(server.host, server.port, { pool_size = POOL })
  if not is_up then return nil end
  if socket:getreusedtimes() == 0 and not ask(socket, 'SELECT', server.database) then return nil end
  return socket
end

-- Runs a script with two keys; nil where it did not run.
function resp.run(server, script, keys, args)
  local socket = connected(server)
  if not socket then return nil end
  local reply, failure = ask(socket, 'EVALSHA', script.sha1, #keys, keys[1], keys[2], unpack(args))
  if failure and failure:find('NOSCRIPT', 1, true) then
    reply, failure = ask(socket, 'EVAL', script.text, #keys, keys[1], keys[2], unpack(args))
  end
  if failure then
    socket:close()
    return nil
  end
  socket:setkeepalive(IDLE_MS, POOL)
  return reply
end

return resp
