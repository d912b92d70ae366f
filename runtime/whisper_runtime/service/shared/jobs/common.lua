-- Jobs, files and batches in a store that several processes share. This file is the beginning of the one program that all
-- verbs are.
--
-- ARGV  1: what the keys of the service begin with; 2: the time, empty: the server's; 3: the verb, and then its arguments.
--
-- A job is a hash, and is in indexes by what it is: `index` takes it out of all of them and puts it in again, so that each
-- change is one call of `change`, which needs to know nothing of them. No key of a job ends by itself, for what ends by
-- itself may be evicted: `expire` does it.

local prefix, verb = ARGV[1], ARGV[3]
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = time[1] + time[2] / 1000000
end

local function exact(number)
  return string.format('%.17g', number)
end

local KEYS_OF = {
  ids = prefix .. 'jobs:last', -- the number of the last job
  turn = prefix .. 'jobs:turn', -- that of the job that was claimed last
  queue = prefix .. 'jobs:queue', -- members 'number id seconds', by their turn
  waiting = prefix .. 'jobs:waiting', -- ids of queued ones, by when they were accepted
  leases = prefix .. 'jobs:leases', -- ids of running ones, by the end of their lease
  expiry = prefix .. 'jobs:expiry', -- ids of ended ones, by when they expire
  totals = prefix .. 'jobs:totals', -- for each state '… jobs'; 'queued seconds', and 'bytes' of all, files included
  due = prefix .. 'jobs:events', -- ids of events that wait, by when they are due
}

local LIVE = {queued = true, in_progress = true}
local ENDED = {completed = true, failed = true, cancelled = true, expired = true}

local function of_job(id)
  return prefix .. 'job:' .. id
end

local function of_batch(id)
  return prefix .. 'batch:' .. id
end

-- The hash of a job or a batch.
local function of_any(id)
  return string.sub(id, 1, 6) == 'batch_' and of_batch(id) or of_job(id)
end

local function of_client(client, what)
  return prefix .. 'jobs:' .. what .. ':' .. client
end

-- A hash as a table, and as it is: names and values, one after the other; nil where there is none.
local function read(key)
  local flat = redis.call('HGETALL', key)
  if #flat == 0 then
    return nil
  end
  local found = {}
  for i = 1, #flat, 2 do
    found[flat[i]] = flat[i + 1]
  end
  return found, flat
end

local function add(key, field, number)
  local sum = (tonumber(redis.call('HGET', key, field)) or 0) + number
  redis.call('HSET', key, field, exact(sum))
  return sum
end

-- Adds to the bytes of all, and to those of the client, whose counts go with its last byte.
local function add_bytes(client, bytes)
  add(KEYS_OF.totals, 'bytes', bytes)
  local counts = of_client(client, 'counts')
  if add(counts, 'bytes', bytes) == 0 then
    redis.call('DEL', counts)
  end
end

-- Counts the job in (sign 1) or out (sign -1).
local function count(job, sign)
  add(KEYS_OF.totals, job.state .. ' jobs', sign)
  local counts = of_client(job.client, 'counts')
  if job.state == 'queued' then
    add(KEYS_OF.totals, 'queued seconds', sign * job.audio_seconds)
    add(counts, 'seconds', sign * job.audio_seconds)
    if add(counts, 'queued', sign) == 0 then
      redis.call('HDEL', counts, 'seconds') -- and what rounding has left of them
    end
    if redis.call('HGET', KEYS_OF.totals, 'queued jobs') == '0' then
      redis.call('HDEL', KEYS_OF.totals, 'queued seconds')
    end
  end
  add_bytes(job.client, sign * job.bytes)
end

local function place(is_in, key, score, member)
  if is_in then
    redis.call('ZADD', key, score, member)
  else
    redis.call('ZREM', key, member)
  end
end

-- Puts the job into the indexes (sign 1) or takes it out of them (sign -1).
local function index(job, sign)
  local is_in = sign == 1
  count(job, sign)
  if job.state ~= 'deleted' then
    place(is_in, of_client(job.client, 'all'), job.seq, job.id)
    place(is_in, of_client(job.client, job.state), job.seq, job.id)
  end
  if LIVE[job.state] then
    place(is_in, of_client(job.client, 'turns'), job.turn_end, job.id)
  end
  if job.state == 'queued' then
    place(is_in, KEYS_OF.queue, job.turn, job.member)
    place(is_in, KEYS_OF.waiting, job.created, job.id)
  elseif job.state == 'in_progress' then
    place(is_in, KEYS_OF.leases, job.lease_ends, job.id)
  end
  if job.expires then
    place(is_in, KEYS_OF.expiry, job.expires, job.id)
  end
  if job.idempotency_key then
    if is_in then
      redis.call('HSET', of_client(job.client, 'keys'), job.idempotency_key, job.id)
    else
      redis.call('HDEL', of_client(job.client, 'keys'), job.idempotency_key)
    end
  end
end

-- Of a job or a batch.
local function forget_events(ended)
  for event in string.gmatch(ended.events or '', '%S+') do
    redis.call('DEL', prefix .. 'event:' .. event)
    redis.call('ZREM', KEYS_OF.due, event)
  end
end

-- Has the client told that its job (kind 'transcription.') or batch ('batch.') has come to this end.
local function announce(ended, kind, created)
  local event = 'evt_' .. string.sub(redis.sha1hex(ended.id .. ' ' .. ended.state), 1, 32)
  redis.call('HSET', prefix .. 'event:' .. event, 'event_id', event, 'job_id', ended.id, 'client', ended.client,
    'type', kind .. ended.state, 'url', ended.webhook_url, 'created', created, 'state', 'pending',
    'attempt', '0', 'due', created)
  redis.call('ZADD', KEYS_OF.due, created, event)
  ended.events = (ended.events and ended.events .. ' ' or '') .. event
  redis.call('HSET', of_any(ended.id), 'events', ended.events)
end

-- Gives fields of what the hash has other values; false: the field goes.
local function assign(key, held, fields)
  for name, value in pairs(fields) do
    if value then
      held[name] = value
      redis.call('HSET', key, name, value)
    else
      held[name] = nil
      redis.call('HDEL', key, name)
    end
  end
end

-- `held` with what names and values, one after the other, give it.
local function with_fields(held, ...)
  local fields = {...}
  for i = 1, #fields, 2 do
    held[fields[i]] = fields[i + 1]
  end
  return held
end

local function change(job, fields)
  index(job, -1)
  local before, ends = job.state, job.expires
  assign(of_job(job.id), job, fields)
  index(job, 1)
  if job.webhook_url and ENDED[job.state] and job.state ~= before then
    announce(job, 'transcription.', job.state == 'expired' and ends or job.ended)
  end
end

local function drop_audio(job)
  redis.call('DEL', of_job(job.id) .. ':audio')
end

-- The client's job, as `read` has it; or nil, and why it has none.
local function own(client, id)
  local job, flat = read(of_job(id))
  if not job or job.client ~= client then
    return nil, 'no_such_job'
  end
  if job.state == 'deleted' then
    return nil, 'gone'
  end
  return job, flat
end

-- The job that the lease is of; nil: it is another worker's, or has ended.
local function leased(id, token)
  local job = read(of_job(id))
  if job and job.state == 'in_progress' and job.token == token then
    return job
  end
  return nil
end

local function all_of(id)
  return redis.call('HGETALL', of_job(id))
end

-- The job of a member of an index, as `read` has it. A store that evicts may have thrown it away: then the member goes, too.
local function of_index(key, member, id)
  local job, flat = read(of_job(id))
  if not job then
    redis.call('ZREM', key, member)
  end
  return job, flat
end

local verbs = {}
