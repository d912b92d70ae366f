-- Whose turn it is to run the model for a result: one pod's, until it lets go, or its lease ends.
--
-- KEYS[1]  a hash: whose turn it is, and until when; it ends by itself.
-- ARGV     the pod's run; seconds of its lease, 0: to let go of the turn.
-- Returns  1: it is this run's turn, or it has let go; 0: it is another's.

local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local run, seconds = ARGV[1], tonumber(ARGV[2])

local held = redis.call('HMGET', KEYS[1], 'run', 'ends')
local is_anothers = held[1] and held[1] ~= run and tonumber(held[2]) > now
if is_anothers then
  return {0}
end
if seconds == 0 then
  redis.call('EXPIRE', KEYS[1], 0)
  return {1}
end
redis.call('HSET', KEYS[1], 'run', run, 'ends', string.format('%.17g', now + seconds))
redis.call('EXPIRE', KEYS[1], math.ceil(seconds))
return {1}
