-- The verbs of clients.

local function with_key(client, key, digest)
  local id = redis.call('HGET', of_client(client, 'keys'), key)
  if not id then
    return nil
  end
  local job, flat = read(of_job(id))
  if not job then
    return nil
  end
  return {job.body_digest == digest and 'ok' or 'key_reused', flat}
end

-- Why the client may not queue so many seconds; nil: it may.
local function over_quota(client, seconds, limit)
  local counts = of_client(client, 'counts')
  local queued = tonumber(redis.call('HGET', counts, 'seconds') or '')
  if limit and queued and (queued >= limit or queued + seconds > limit) then
    return {'quota', exact(queued), exact(seconds)}
  end
  return nil
end

local function no_room(client, size, most)
  local used = tonumber(redis.call('HGET', KEYS_OF.totals, 'bytes') or '0')
  local held = tonumber(redis.call('HGET', of_client(client, 'counts'), 'bytes') or '0')
  local left = most - used - size
  if left < 0 then
    return {'full', exact(used)}
  elseif held > 0 and held + size > left then
    return {'share_full', exact(held)}
  end
  return nil
end

-- Behind the client's own jobs, and not before what is claimed now (ADR 39).
local function next_turn(client)
  local turn = tonumber(redis.call('GET', KEYS_OF.turn) or '0')
  local last = redis.call('ZRANGE', of_client(client, 'turns'), -1, -1, 'WITHSCORES')
  return math.max(turn, tonumber(last[2] or '0'))
end

-- audio: kept here, unless it is empty. fields: names and values, one after the other.
function verbs.put(id, size, most, limit, audio, ...)
  local job = with_fields({id = id, state = 'queued', bytes = size, created = exact(now), attempt = '0', token = '0'}, ...)
  local found = job.idempotency_key and with_key(job.client, job.idempotency_key, job.body_digest)
  local refusal = found or over_quota(job.client, tonumber(job.audio_seconds), tonumber(limit))
    or no_room(job.client, tonumber(size), tonumber(most))
  if refusal then
    return refusal
  end
  local turn = next_turn(job.client)
  job.seq = exact(redis.call('INCR', KEYS_OF.ids))
  job.turn, job.turn_end = exact(turn), exact(turn + job.audio_seconds)
  job.member = string.format('%016d %s %s', job.seq, id, job.audio_seconds)
  assign(of_job(id), {}, job)
  if #audio > 0 then
    redis.call('SET', of_job(id) .. ':audio', audio)
  end
  index(job, 1)
  return {'ok', all_of(id)}
end

function verbs.check_quota(client, limit)
  return over_quota(client, 0, tonumber(limit)) or {'ok'}
end

function verbs.with_key(client, key, digest)
  return with_key(client, key, digest) or {'none'}
end

function verbs.made_by(client, digest, ...)
  local found = {'ok'}
  for _, key in ipairs({...}) do
    local made = with_key(client, key, digest)
    if made and made[1] == 'ok' then
      found[#found + 1] = made[2]
    end
  end
  return found
end

function verbs.get(client, id)
  local job, found = own(client, id)
  return job and {'ok', found} or {found}
end

function verbs.find(client, ...)
  local found = {'ok'}
  for _, id in ipairs({...}) do
    local job, flat = own(client, id)
    if job then
      found[#found + 1] = flat
    end
  end
  return found
end

function verbs.page(client, after, limit, state)
  local before = '+inf'
  if after ~= '' then
    local job = read(of_job(after))
    if not job or job.client ~= client then
      return {'no_such_job'}
    end
    before = '(' .. job.seq
  end
  local of = of_client(client, state == '' and 'all' or state)
  local found = {'ok'}
  for _, id in ipairs(redis.call('ZRANGE', of, before, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, limit)) do
    local job, flat = of_index(of, id, id)
    if job then
      found[#found + 1] = flat
    end
  end
  return found
end

-- The seconds of so many jobs are added up; what is beyond them counts as the mean of the rest, for to add up thousands would
-- hold up the calls of all pods (ADR 82).
local ADDED_UP = 20

-- How many jobs are claimed before this one, and their seconds; none where it is not queued.
local function ahead_of(job)
  local rank = job.state == 'queued' and redis.call('ZRANK', KEYS_OF.queue, job.member)
  if not rank or rank == 0 then
    return 0, 0
  end
  local seconds, counted = 0, math.min(rank, ADDED_UP)
  for _, member in ipairs(redis.call('ZRANGE', KEYS_OF.queue, 0, counted - 1)) do
    seconds = seconds + tonumber(string.match(member, '^%S+ %S+ (%S+)$'))
  end
  if rank > counted then
    local jobs = tonumber(redis.call('HGET', KEYS_OF.totals, 'queued jobs') or '') or rank
    local queued = tonumber(redis.call('HGET', KEYS_OF.totals, 'queued seconds') or '') or seconds
    seconds = seconds + (rank - counted) * math.max(0, queued - seconds) / math.max(1, jobs - counted)
  end
  return rank, seconds
end

function verbs.placed(client, id)
  local job, found = own(client, id)
  if not job then
    return {found}
  end
  local jobs, seconds = ahead_of(job)
  return {'ok', found, jobs, exact(seconds)}
end

function verbs.result(client, id)
  local job, why = own(client, id)
  if not job then
    return {why}
  elseif job.state == 'expired' then
    return {'expired'}
  elseif job.state ~= 'completed' then
    return {'not_done', job.state}
  end
  return {'ok', job.token, redis.call('GET', of_job(id) .. ':result') or ''}
end

function verbs.cancel(client, id, keep_seconds)
  local job, why = own(client, id)
  if not job then
    return {why}
  end
  local is_live = LIVE[job.state]
  if is_live then
    change(job, {state = 'cancelled', lease_ends = false, ended = exact(now), expires = exact(now + keep_seconds),
      bytes = job.row_bytes})
    drop_audio(job)
  end
  return {'ok', all_of(id), is_live and 1 or 0}
end

function verbs.delete(client, id, keep_seconds, least_bytes)
  local job, why = own(client, id)
  if not job then
    return {why}
  end
  forget_events(job)
  change(job, {state = 'deleted', request = '', metadata = '{}', body_digest = '', error = false, lease_ends = false,
    idempotency_key = false, webhook_url = false, events = false, expires = exact(now + keep_seconds),
    bytes = least_bytes})
  drop_audio(job)
  redis.call('DEL', of_job(id) .. ':result')
  return {'ok', job.token}
end

function verbs.statistics()
  local oldest = redis.call('ZRANGE', KEYS_OF.waiting, 0, 0, 'WITHSCORES')
  return {'ok', redis.call('HGETALL', KEYS_OF.totals), oldest[2] or '', redis.call('GET', KEYS_OF.ids) or '0'}
end
