-- KEYS[1]  a result, as keep_result.lua keeps it.
-- Returns  its content, its age and the time for which it is still kept, in seconds as text; nothing where there is none.

local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local held = redis.call('HMGET', KEYS[1], 'content', 'at', 'ends')
if not held[1] or tonumber(held[3]) <= now then
  return {}
end
-- After a failover the new primary's clock may be behind.
local age = math.max(0, now - tonumber(held[2]))
return {held[1], string.format('%.17g', age), string.format('%.17g', held[3] - now)}
