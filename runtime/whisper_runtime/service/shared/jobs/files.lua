-- The verbs of clients' files. A file is a hash, as a job is. Its content is kept here where nothing else keeps it; that of
-- a batch's answers is the hash in which the batch has collected them.

local FILE_ENDS = prefix .. 'files:expiry' -- ids, by when they expire; without those that a batch needs

local function of_file(id)
  return prefix .. 'file:' .. id
end

local function index_file(file, sign)
  local is_in = sign == 1
  add_bytes(file.client, sign * file.bytes)
  place(is_in, of_client(file.client, 'files'), file.seq, file.id)
  place(is_in, of_client(file.client, 'files ' .. file.purpose), file.seq, file.id)
  place(is_in, FILE_ENDS, file.expires, file.id)
end

-- Every one has a number, by which lists go.
local function add_file(file, keep_seconds)
  file.seq = exact(redis.call('INCR', prefix .. 'files:last'))
  file.created, file.expires = exact(now), exact(now + keep_seconds)
  assign(of_file(file.id), {}, file)
  index_file(file, 1)
end

local function drop_file(file)
  index_file(file, -1)
  redis.call('DEL', of_file(file.id), of_file(file.id) .. ':content', file.answers or of_file(file.id))
end

local function own_file(client, id)
  local file = read(of_file(id))
  return file and file.client == client and file or nil
end

-- The id of a batch that needs the file and has not ended; nil: there is none.
local function user_of(id)
  return redis.call('ZRANGE', of_file(id) .. ':batches', 0, 0)[1]
end

-- content: kept here, unless it is empty.
function verbs.put_file(id, size, bytes, most, keep_seconds, content, ...)
  local file = with_fields({id = id, size = size, bytes = bytes}, ...)
  local refusal = no_room(file.client, tonumber(bytes), tonumber(most))
  if refusal then
    return refusal
  end
  add_file(file, keep_seconds)
  if #content > 0 then
    redis.call('SET', of_file(id) .. ':content', content)
  end
  return {'ok', redis.call('HGETALL', of_file(id))}
end

function verbs.check_room(client, size, most)
  return no_room(client, tonumber(size), tonumber(most)) or {'ok'}
end

function verbs.file(client, id)
  return own_file(client, id) and {'ok', redis.call('HGETALL', of_file(id))} or {'no_such_file'}
end

-- Returns the content where it is kept here, and the lines that a file of answers has.
function verbs.open_file(client, id)
  local file = own_file(client, id)
  if not file then
    return {'no_such_file'}
  end
  local content = redis.call('GET', of_file(id) .. ':content') or ''
  return {'ok', content, file.answers and redis.call('HKEYS', file.answers) or {}}
end

-- Those of the lines `...` of a file of answers, as they are kept.
function verbs.file_texts(client, id, ...)
  local file = own_file(client, id)
  if not (file and file.answers) then
    return {'no_such_file'}
  end
  return {'ok', redis.call('HMGET', file.answers, ...)}
end

-- purpose: empty, of any; order: 'asc' or 'desc', by when they came.
function verbs.file_page(client, after, limit, purpose, order)
  local from = order == 'asc' and '-inf' or '+inf'
  if after ~= '' then
    local file = own_file(client, after)
    if not file then
      return {'no_such_file'}
    end
    from = '(' .. file.seq
  end
  local of = of_client(client, purpose == '' and 'files' or 'files ' .. purpose)
  local ids
  if order == 'asc' then
    ids = redis.call('ZRANGE', of, from, '+inf', 'BYSCORE', 'LIMIT', 0, limit)
  else
    ids = redis.call('ZRANGE', of, from, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, limit)
  end
  local found = {'ok'}
  for _, id in ipairs(ids) do
    local file = redis.call('HGETALL', of_file(id))
    if #file > 0 then
      found[#found + 1] = file
    else -- a store that evicts has thrown it away
      redis.call('ZREM', of, id)
    end
  end
  return found
end

function verbs.delete_file(client, id)
  local file = own_file(client, id)
  if not file then
    return {'no_such_file'}
  elseif user_of(id) then
    return {'file_in_use', user_of(id)}
  end
  drop_file(file)
  return {'ok'}
end

-- Returns the ids of files that are deleted.
function verbs.expire_files(most)
  local expired = {'ok'}
  for _, id in ipairs(redis.call('ZRANGE', FILE_ENDS, '-inf', exact(now), 'BYSCORE', 'LIMIT', 0, most)) do
    local file = read(of_file(id))
    if not file or user_of(id) then
      redis.call('ZREM', FILE_ENDS, id)
    else
      drop_file(file)
      expired[#expired + 1] = id
    end
  end
  return expired
end

-- Of contents that are kept elsewhere: which of these are a job's audio (1) or result (2), or a file's (3), or nobody's (0).
function verbs.needs(...)
  local found = {'ok'}
  for _, id in ipairs({...}) do
    local job, file = read(of_job(id)), read(of_file(id))
    found[#found + 1] = file and not file.answers and 3
      or job and (LIVE[job.state] and 1 or job.state == 'completed' and 2) or 0
  end
  return found
end
