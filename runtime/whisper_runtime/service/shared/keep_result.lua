-- Keeps one result of a service, or forgets it, within the bytes that all of them may take: the oldest make room.
--
-- KEYS[1]  the result: a hash, which ends by itself. KEYS[2]  a sorted set of all results, as 'bytes key', by their end.
-- KEYS[3]  the bytes of those.
-- ARGV     the content, empty: to forget the result; seconds for which it is kept; bytes that all may take; bytes that a
--          result takes beside its content.
-- Returns  1: it is kept, 0: it is not.

local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local content, seconds, most, beside = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

local function forget(member)
  local bytes, key = string.match(member, '^(%d+) (.*)$')
  redis.call('ZREM', KEYS[2], member)
  redis.call('INCRBY', KEYS[3], '-' .. bytes)
  redis.call('EXPIRE', key, 0)
end

local held = redis.call('HMGET', KEYS[1], 'member')[1]
if held then
  forget(held)
end
local size = #content + beside
if #content == 0 or size > most then
  return {0}
end

while true do
  local oldest = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
  if not oldest[1] then
    redis.call('EXPIRE', KEYS[3], 0) -- what an eviction has left of the count
    break
  end
  local used = redis.call('INCRBY', KEYS[3], 0)
  if tonumber(oldest[2]) > now and used + size <= most then
    break
  end
  forget(oldest[1])
end

local member = string.format('%d %s', size, KEYS[1])
local at, ends = string.format('%.17g', now), string.format('%.17g', now + seconds)
redis.call('HSET', KEYS[1], 'content', content, 'at', at, 'ends', ends, 'member', member)
redis.call('ZADD', KEYS[2], ends, member)
redis.call('INCRBY', KEYS[3], size)
for i = 1, 3 do
  redis.call('EXPIRE', KEYS[i], seconds)
end
return {1}
