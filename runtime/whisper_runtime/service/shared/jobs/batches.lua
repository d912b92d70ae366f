-- The verbs of batches. A batch is a hash, and in indexes by what it is, as a job is. While it goes on, its answers are
-- two hashes of texts by their lines, which are the contents of two files once it has ended.

local BATCHES = {
  last = prefix .. 'batches:last', -- the number of the last one
  waiting = prefix .. 'batches:waiting', -- ids of live ones that no process has, by their number
  leases = prefix .. 'batches:leases', -- ids of live ones that a process has, by the end of its lease
  running = prefix .. 'batches:running', -- how many of each client those are
  states = prefix .. 'batches:states', -- how many live ones are in each state
  expiry = prefix .. 'batches:expiry', -- ids of ended ones, by when they are forgotten
}
local ANSWER_BYTES = 64 -- what an answer takes beside its text

-- Adds to a count, which goes at 0.
local function tally(key, field, number)
  if add(key, field, number) == 0 then
    redis.call('HDEL', key, field)
  end
end

local function index_batch(batch, sign)
  local is_in = sign == 1
  add_bytes(batch.client, sign * batch.bytes)
  place(is_in, of_client(batch.client, 'batches'), batch.seq, batch.id)
  if batch.ended then
    place(is_in, BATCHES.expiry, batch.forgotten, batch.id)
    return
  end
  tally(BATCHES.states, batch.state, sign)
  place(is_in, of_file(batch.input_file) .. ':batches', batch.seq, batch.id)
  if batch.lease_ends then
    tally(BATCHES.running, batch.client, sign)
    place(is_in, BATCHES.leases, batch.lease_ends, batch.id)
  else
    place(is_in, BATCHES.waiting, batch.seq, batch.id)
  end
end

local function change_batch(batch, fields)
  index_batch(batch, -1)
  local was_live = not batch.ended
  assign(of_batch(batch.id), batch, fields)
  index_batch(batch, 1)
  if was_live and batch.ended then
    local file = read(of_file(batch.input_file))
    if file and not user_of(file.id) then
      redis.call('ZADD', FILE_ENDS, file.expires, file.id)
    end
    if batch.webhook_url then
      announce(batch, 'batch.', batch.ended)
    end
  end
end

local function own_batch(client, id)
  local batch = read(of_batch(id))
  return batch and batch.client == client and batch or nil
end

-- How a batch is answered: with the time by which its window is judged.
local function as_it_is(id)
  return {'ok', redis.call('HGETALL', of_batch(id)), exact(now)}
end

local function answers_of(id, kind)
  return of_batch(id) .. ':' .. kind
end

function verbs.create_batch(id, bytes, most, ...)
  local batch = with_fields({id = id, state = 'validating', bytes = bytes, created = exact(now), total = '0',
    completed = '0', failed = '0', losses = '0', token = '0', outcome = 'completed'}, ...)
  local refusal = not own_file(batch.client, batch.input_file) and {'no_such_file'}
    or no_room(batch.client, tonumber(bytes), tonumber(most))
  if refusal then
    return refusal
  end
  batch.seq, batch.expires = exact(redis.call('INCR', BATCHES.last)), exact(now + batch.window_seconds)
  assign(of_batch(id), {}, batch)
  index_batch(batch, 1)
  return as_it_is(id)
end

function verbs.batch(client, id)
  return own_batch(client, id) and as_it_is(id) or {'no_such_batch'}
end

function verbs.batch_page(client, after, limit)
  local from, of, found = '+inf', of_client(client, 'batches'), {'ok'}
  if after ~= '' then
    local batch = own_batch(client, after)
    if not batch then
      return {'no_such_batch'}
    end
    from = '(' .. batch.seq
  end
  for _, id in ipairs(redis.call('ZRANGE', of, from, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, limit)) do
    local batch = redis.call('HGETALL', of_batch(id))
    if #batch > 0 then
      found[#found + 1] = batch
    else
      redis.call('ZREM', of, id)
    end
  end
  return found
end

function verbs.cancel_batch(client, id)
  local batch = own_batch(client, id)
  if not batch then
    return {'no_such_batch'}
  elseif batch.state == 'validating' or batch.state == 'in_progress' then
    change_batch(batch, {state = 'cancelling', cancelling = exact(now)})
  end
  return as_it_is(id)
end

-- The first batch that waits, of a client of which fewer than `most` are worked at.
local function next_batch(most)
  local from, some = 0, 100
  while true do
    local ids = redis.call('ZRANGE', BATCHES.waiting, from, from + some - 1)
    for _, id in ipairs(ids) do
      local batch = read(of_batch(id))
      if not batch then
        redis.call('ZREM', BATCHES.waiting, id)
      elseif tonumber(redis.call('HGET', BATCHES.running, batch.client) or '0') < tonumber(most) then
        return batch
      end
    end
    if #ids < some then
      return nil
    end
    from = from + some
  end
end

function verbs.claim_batch(lease_seconds, most)
  for _, id in ipairs(redis.call('ZRANGE', BATCHES.leases, '-inf', exact(now), 'BYSCORE')) do
    local late = read(of_batch(id))
    if late then
      change_batch(late, {lease_ends = false, losses = exact(late.losses + 1)})
    else
      redis.call('ZREM', BATCHES.leases, id)
    end
  end
  local batch = next_batch(most)
  if not batch then
    return {'none'}
  end
  change_batch(batch, {token = exact(batch.token + 1), lease_ends = exact(now + lease_seconds)})
  return as_it_is(batch.id)
end

-- The verb that does `work` for a batch, where the lease is its present one.
local function with_batch(work)
  return function(id, token, ...)
    local batch = read(of_batch(id))
    if batch and not batch.ended and batch.lease_ends and batch.token == token then
      return work(batch, ...) or as_it_is(id)
    end
    return {'batch_lost'}
  end
end

verbs.look = with_batch(function() end)

verbs.renew_batch = with_batch(function(batch, lease_seconds)
  change_batch(batch, {lease_ends = exact(now + lease_seconds)})
end)

verbs.hand_back_batch = with_batch(function(batch)
  change_batch(batch, {lease_ends = false})
end)

verbs.refuse = with_batch(function(batch, faults, bytes)
  if batch.state ~= 'cancelling' then
    change_batch(batch, {state = 'failed', faults = faults, lease_ends = false, bytes = bytes, ended = exact(now),
      forgotten = exact(now + batch.keep_seconds)})
    redis.call('DEL', answers_of(batch.id, 'output'), answers_of(batch.id, 'error'))
  end
end)

verbs.begin_batch = with_batch(function(batch, total)
  local state = batch.state == 'validating' and 'in_progress' or batch.state
  change_batch(batch, {total = total, began = exact(now), state = state})
end)

verbs.note_try = with_batch(function(batch, line)
  local tries = 1
  if batch.tried_line == line then
    tries = batch.tries + (tonumber(batch.tried_losses) < tonumber(batch.losses) and 1 or 0)
  end
  change_batch(batch, {tried_line = line, tried_losses = batch.losses, tries = exact(tries)})
  return {'ok', tries}
end)

-- Of each answer: its line, its kind, the bytes of its text, and the text as it is kept.
verbs.answer = with_batch(function(batch, ...)
  local words, changed = {...}, {bytes = batch.bytes, completed = batch.completed, failed = batch.failed}
  for i = 1, #words, 4 do
    local line, kind, size, text = words[i], words[i + 1], words[i + 2], words[i + 3]
    local is_there = redis.call('HGET', answers_of(batch.id, 'output'), line)
      or redis.call('HGET', answers_of(batch.id, 'error'), line)
    if not is_there then
      redis.call('HSET', answers_of(batch.id, kind), line, text)
      local count, taken = kind == 'error' and 'failed' or 'completed', ANSWER_BYTES + #text
      changed[count], changed.bytes = exact(changed[count] + 1), exact(changed.bytes + taken)
      for name, number in pairs({[kind .. '_size'] = size, [kind .. '_bytes'] = taken}) do
        changed[name] = exact((changed[name] or batch[name] or 0) + number)
      end
    end
  end
  change_batch(batch, changed)
end)

verbs.answered = with_batch(function(batch)
  local right, wrong = answers_of(batch.id, 'output'), answers_of(batch.id, 'error')
  return {'ok', redis.call('HKEYS', right), redis.call('HKEYS', wrong)}
end)

verbs.finalize = with_batch(function(batch, outcome)
  if batch.state == 'in_progress' then
    change_batch(batch, {state = 'finalizing', finalizing = exact(now), outcome = outcome})
  end
end)

-- Of each kind of answers: the kind, the id that their file has, its name, and the bytes that it takes beside them.
verbs.finish_batch = with_batch(function(batch, bytes, ...)
  local words = {...}
  local changed = {state = batch.state == 'cancelling' and 'cancelled' or batch.outcome, ended = exact(now),
    forgotten = exact(now + batch.keep_seconds), lease_ends = false, bytes = bytes}
  for i = 1, #words, 4 do
    local kind, id, name, beside = words[i], words[i + 1], words[i + 2], words[i + 3]
    if batch[kind .. '_size'] then
      add_file({id = id, client = batch.client, purpose = 'batch_output', filename = name, size = batch[kind .. '_size'],
        bytes = exact(batch[kind .. '_bytes'] + beside), answers = answers_of(batch.id, kind)}, batch.keep_seconds)
      changed[kind .. '_file'] = id
    end
  end
  change_batch(batch, changed)
end)

function verbs.live_batches()
  return {'ok', redis.call('HGETALL', BATCHES.states)}
end

function verbs.forget_batches(most)
  for _, id in ipairs(redis.call('ZRANGE', BATCHES.expiry, '-inf', exact(now), 'BYSCORE', 'LIMIT', 0, most)) do
    local batch = read(of_batch(id))
    if batch then
      index_batch(batch, -1)
      forget_events(batch)
      redis.call('DEL', of_batch(id))
    else
      redis.call('ZREM', BATCHES.expiry, id)
    end
  end
  return {'ok'}
end
