-- The verbs of workers.

local function fail(job, problem, keep_seconds)
  change(job, {state = 'failed', error = problem, lease_ends = false, ended = exact(now),
    expires = exact(now + keep_seconds), bytes = job.row_bytes})
  drop_audio(job)
end

-- Where it was; returns whether it is queued: a job that was tried too often has failed.
local function queue_again(job, problem, most_attempts, keep_seconds)
  if tonumber(job.attempt) >= tonumber(most_attempts) then
    fail(job, problem, keep_seconds)
    return false
  end
  change(job, {state = 'queued', lease_ends = false, done_seconds = '0', model = false})
  return true
end

-- Returns how many leases had run out, the ids of those jobs that have failed by it, and the job; empty: none is queued.
function verbs.claim(lease_seconds, model, abandoned, most_attempts, keep_seconds)
  local run_out = redis.call('ZRANGE', KEYS_OF.leases, '-inf', exact(now), 'BYSCORE')
  local failed = {}
  for _, id in ipairs(run_out) do
    local late = of_index(KEYS_OF.leases, id, id)
    if late and not queue_again(late, abandoned, most_attempts, keep_seconds) then
      failed[#failed + 1] = id
    end
  end
  local job
  repeat
    local first = redis.call('ZRANGE', KEYS_OF.queue, 0, 0)[1]
    if not first then
      return {'ok', #run_out, failed, {}}
    end
    job = of_index(KEYS_OF.queue, first, string.match(first, '^%d+ (%S+)'))
  until job
  local turn = math.max(tonumber(redis.call('GET', KEYS_OF.turn) or '0'), tonumber(job.turn))
  redis.call('SET', KEYS_OF.turn, exact(turn))
  change(job, {state = 'in_progress', token = exact(job.token + 1), attempt = exact(job.attempt + 1),
    lease_ends = exact(now + lease_seconds), started = job.started or exact(now), done_seconds = '0',
    model = model ~= '' and model})
  return {'ok', #run_out, failed, all_of(job.id)}
end

-- The verb that does `work` for a job, where the lease is its present one.
local function with_lease(work)
  return function(id, token, ...)
    local job = leased(id, token)
    return job and work(job, ...) or {'lease_lost'}
  end
end

verbs.audio = with_lease(function(job)
  return {'ok', redis.call('GET', of_job(job.id) .. ':audio') or ''}
end)

verbs.check = with_lease(function()
  return {'ok'}
end)

verbs.renew = with_lease(function(job, done_seconds, lease_seconds)
  change(job, {lease_ends = exact(now + lease_seconds), done_seconds = done_seconds})
  return {'ok'}
end)

-- result: kept here, unless it is empty; bytes: those of the result, wherever it is.
verbs.finish = with_lease(function(job, result, bytes, keep_seconds)
  change(job, {state = 'completed', lease_ends = false, done_seconds = job.audio_seconds, ended = exact(now),
    expires = exact(now + keep_seconds), bytes = exact(job.row_bytes + bytes)})
  if #result > 0 then
    redis.call('SET', of_job(job.id) .. ':result', result)
  end
  drop_audio(job)
  return {'ok'}
end)

-- Returns whether it is queued.
verbs.retry = with_lease(function(job, problem, most_attempts, keep_seconds)
  return {'ok', queue_again(job, problem, most_attempts, keep_seconds) and 1 or 0}
end)

verbs.fail = with_lease(function(job, problem, keep_seconds)
  fail(job, problem, keep_seconds)
  return {'ok'}
end)

verbs.hand_back = with_lease(function(job)
  change(job, {state = 'queued', lease_ends = false, done_seconds = '0', model = false,
    attempt = exact(job.attempt - 1)})
  return {'ok'}
end)

-- Returns the ids and tokens of jobs whose results have expired, one after the other.
function verbs.expire(keep_seconds, least_bytes, most)
  local expired = {}
  for _, id in ipairs(redis.call('ZRANGE', KEYS_OF.expiry, '-inf', exact(now), 'BYSCORE', 'LIMIT', 0, most)) do
    local job = of_index(KEYS_OF.expiry, id, id)
    if job and job.state == 'completed' then
      change(job, {state = 'expired', idempotency_key = false, expires = exact(now + keep_seconds), bytes = least_bytes})
      redis.call('DEL', of_job(id) .. ':result')
      expired[#expired + 1] = id
      expired[#expired + 1] = job.token
    elseif job then
      index(job, -1)
      forget_events(job)
      redis.call('DEL', of_job(id))
    end
  end
  return {'ok', expired}
end

