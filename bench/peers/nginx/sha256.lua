-- SHA-256 of a string, as 32 raw bytes, by the OpenSSL that nginx is linked with (FIPS 180-4; SHA256(3)).
local ffi = require 'ffi'

ffi.cdef [[
unsigned char *SHA256(const unsigned char *data, size_t count, unsigned char *digest);
]]

local DIGEST_BYTES = 32
local digest = ffi.new('unsigned char[?]', DIGEST_BYTES)

return function(text)
  ffi.C.SHA256(text, #text, digest)
  return ffi.string(digest, DIGEST_BYTES)
end
