-- KEYS[1]  as leave_facts.lua has it. ARGV  the name of facts.
-- Returns  the facts; nothing where nobody has left them.

local found = redis.call('HMGET', KEYS[1], ARGV[1])
return found[1] and found or {}
