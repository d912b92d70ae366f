-- KEYS[1]  what servers of the service know of themselves: a hash. ARGV  the name of facts, and the facts.
-- Returns  1: they are new, 0: they were there. A replica has nothing to do for those that were.

if redis.call('HMGET', KEYS[1], ARGV[1])[1] == ARGV[2] then
  return {0}
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return {1}
