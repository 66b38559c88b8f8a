-- Adds counts to one bucket. KEYS: the bucket. ARGV: how long to keep it (seconds), how many fields it may have,
-- the suffix of fields for everybody else, then pairs of field and amount.
local fields = redis.call('HLEN', KEYS[1])
for at = 4, #ARGV, 2 do
  local field = ARGV[at]
  if fields >= tonumber(ARGV[2]) and redis.call('HEXISTS', KEYS[1], field) == 0 then
    field = string.sub(field, 1, 1) .. ARGV[3]
  end
  redis.call('HINCRBY', KEYS[1], field, ARGV[at + 1])
  fields = fields + 1
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return fields
