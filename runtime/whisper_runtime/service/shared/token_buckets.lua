-- Takes tokens from the two buckets of one client: requests in a minute, and seconds of audio in an hour.
-- It is service/rate_limits.py's TokenBuckets, by the server's clock, so that all pods count as one.
--
-- KEYS[1]  a hash: what was left in each bucket, and when; it ends by itself once both would be full again.
-- ARGV     1: whether to refuse where the client has to wait, else 0: then tokens are taken even if there are none;
--          the capacity of each bucket, 0: there is no such limit; the tokens to take from each, negative: to give back.
-- Returns  0: taken, 1: no request is left, 2: no audio is left; and what is left in each, as text with all digits.

local decides = ARGV[1] == '1'
local capacity = {tonumber(ARGV[2]), tonumber(ARGV[3])}
local taken = {tonumber(ARGV[4]), tonumber(ARGV[5])}
local period = {60, 3600}

local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local held = redis.call('HMGET', KEYS[1], 'requests', 'audio', 'at')
-- After a failover the new primary's clock may be behind.
local passed = math.max(0, now - (tonumber(held[3]) or now))

local function exact(number)
  return string.format('%.17g', number)
end

local left = {}
for i = 1, 2 do
  local had = tonumber(held[i]) or capacity[i]
  left[i] = math.min(capacity[i], had + passed * capacity[i] / period[i])
end

if decides and capacity[1] > 0 and left[1] < 1 then
  return {1, exact(left[1]), exact(left[2])}
end
if decides and capacity[2] > 0 and left[2] <= 0 then
  return {2, exact(left[1]), exact(left[2])}
end

local kept = {}
local seconds = 1
for i = 1, 2 do
  kept[i] = ''
  if capacity[i] > 0 then
    left[i] = math.min(capacity[i], left[i] - taken[i])
    kept[i] = exact(left[i])
    seconds = math.max(seconds, math.ceil((capacity[i] - left[i]) * period[i] / capacity[i]))
  end
end
redis.call('HSET', KEYS[1], 'requests', kept[1], 'audio', kept[2], 'at', exact(now))
redis.call('EXPIRE', KEYS[1], seconds)
return {0, exact(left[1]), exact(left[2])}
