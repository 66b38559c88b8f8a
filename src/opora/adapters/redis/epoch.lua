-- Keeps the later of two epochs. KEYS: the epoch. ARGV: microseconds, how long to keep it (milliseconds).
local held = redis.call('GET', KEYS[1])
local epoch = ARGV[1]
if held and tonumber(held) > tonumber(epoch) then
  epoch = held
end
redis.call('SET', KEYS[1], epoch, 'PX', ARGV[2])
return 1
