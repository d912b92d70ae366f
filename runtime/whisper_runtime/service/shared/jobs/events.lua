-- The verbs of the outbox, and the end of the program.

local SOME = 100

local function of_event(id)
  return prefix .. 'event:' .. id
end

function verbs.claim_event(claim_seconds, ...)
  local busy, from = {}, 0
  for _, client in ipairs({...}) do
    busy[client] = true
  end
  while true do
    local due = redis.call('ZRANGE', KEYS_OF.due, '-inf', exact(now), 'BYSCORE', 'LIMIT', from, SOME)
    for _, id in ipairs(due) do
      local event = read(of_event(id))
      if event and not busy[event.client] then
        local again = exact(now + claim_seconds)
        redis.call('HSET', of_event(id), 'attempt', exact(event.attempt + 1), 'due', again)
        redis.call('ZADD', KEYS_OF.due, again, id)
        return {'ok', redis.call('HGETALL', of_event(id))}
      end
    end
    if #due < SOME then
      return {'none'}
    end
    from = from + SOME
  end
end

-- Changes nothing where the event was claimed anew, or its job is deleted.
function verbs.note_event(id, attempt, state, seconds, failure)
  local event = read(of_event(id))
  if not event or event.state ~= 'pending' or event.attempt ~= attempt then
    return {'none'}
  end
  local due = exact(now + seconds)
  redis.call('HSET', of_event(id), 'state', state, 'due', due)
  if failure == '' then
    redis.call('HDEL', of_event(id), 'failure')
  else
    redis.call('HSET', of_event(id), 'failure', failure)
  end
  place(state == 'pending', KEYS_OF.due, due, id)
  return {'ok'}
end

-- id: of a job or a batch.
function verbs.latest_event(id)
  local last = string.match(redis.call('HGET', of_any(id), 'events') or '', '%S+$')
  return last and read(of_event(last)) and {'ok', redis.call('HGETALL', of_event(last))} or {'none'}
end

-- Needs every right that the others need, and leaves nothing.
function verbs.try()
  local key = prefix .. 'jobs:(trial)'
  redis.call('DEL', key)
  redis.call('INCR', key)
  redis.call('SET', key, '1')
  redis.call('GET', key)
  redis.call('DEL', key)
  redis.call('HSET', key, 'a', '1')
  redis.call('HGET', key, 'a')
  redis.call('HGETALL', key)
  redis.call('HKEYS', key)
  redis.call('HMGET', key, 'a')
  redis.call('HDEL', key, 'a')
  redis.call('ZADD', key, 1, 'a')
  redis.call('ZRANK', key, 'a')
  redis.call('ZRANGE', key, 0, 0)
  redis.call('ZREM', key, 'a')
  redis.call('TIME')
  return {'ok'}
end

return verbs[verb](unpack(ARGV, 4))
