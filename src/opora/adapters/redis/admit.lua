-- Judges one call: is anything it stands on denied, and is there room in every cell?
-- KEYS: the denials to look for, then an epoch if ARGV[2] is not empty, then one cell for each policy.
-- ARGV: how many denials, when the token was issued (microseconds), the cost, '1' to charge,
--       then interval, tolerance and step of each policy (microseconds).
-- Answer: {0} revoked; {1, now, ...} charged; {2, now, ...} not charged; then anchor and spending of each cell.
-- The arithmetic is that of opora.core.access.rules.rates. Every number stays below 2^53, so doubles are exact; cells are
-- kept as three of them, because text would be parsed on every call (and tostring keeps only 14 digits of a number).
local held = redis.call('MGET', unpack(KEYS))
local first = ARGV[1] + 1
for index = 1, first - 1 do
  if held[index] then
    return {0}
  end
end
if ARGV[2] ~= '' then
  if held[first] and tonumber(ARGV[2]) < tonumber(held[first]) then
    return {0}
  end
  first = first + 1
end

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local cost = tonumber(ARGV[3])
local fits = ARGV[4] == '1'
local answer = {2, now}
local at = 5
for index = first, #KEYS do
  local interval, tolerance, step = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local anchor, spent = now, 0
  if held[index] then
    local kept_interval
    anchor, spent, kept_interval = struct.unpack('<ddd', held[index])
    if kept_interval ~= interval or spent > tolerance then
      local part = spent % kept_interval
      spent = math.min(tolerance, (spent - part) / kept_interval * interval + math.min(part, interval))
    end
    local begun = math.max(anchor, now - (now - anchor) % step)
    spent = anchor + spent - begun
    anchor = begun
    if spent <= 0 then
      anchor, spent = math.max(now, begun), 0
    end
  end
  answer[#answer + 1] = anchor
  answer[#answer + 1] = spent
  fits = fits and spent + cost * interval <= tolerance
  at = at + 3
end
if not fits or cost == 0 then
  return answer
end

answer[1] = 1
at = 5
for index = first, #KEYS do
  local interval, step = tonumber(ARGV[at]), tonumber(ARGV[at + 2])
  local place = 3 + (index - first) * 2
  local anchor, spent = answer[place], answer[place + 1] + cost * interval
  answer[place + 1] = spent
  local life_us = anchor + math.ceil(spent / step) * step - now
  redis.call('SET', KEYS[index], struct.pack('<ddd', anchor, spent, interval), 'PX', math.ceil(life_us / 1000))
  at = at + 3
end
return answer
