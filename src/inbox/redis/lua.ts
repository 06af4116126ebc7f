/**
 * What hookbus writes into a queue of BullMQ's, and reads from it, each in one step that nothing else gets into.
 *
 * A record is a job's hash, in fields that begin with `h:`; it stays there for ever, as the tombstone of its key, so that
 * BullMQ takes no second job of that name. They are few, and hold what scripts read apart: a server pays for each field
 * whenever a job is taken. Each record is in one of the sets `open`, `done`, `dead`, `ignored` and `discarded`, by the order
 * of recording. Those that are to be purged are found by the time of their end: what is done in BullMQ's `completed` set of
 * the queue, and what BullMQ had no part in in the set `ended`.
 *
 * `h:run` is how often attempts were begun and, while one is under way, since when. `h:end` is the state that the record
 * ended in, and when: it has ended by that, whatever BullMQ has yet to make of it.
 *
 * All scripts get the inbox's prefix as `ARGV[1]`, those about records of one queue its name as `ARGV[2]`, and those about
 * one record its job id as `ARGV[3]`. `KEYS[1]` is there for those who look at what a command touches.
 */

/** How many attempts, and how many of an operator's doings, are kept of a record. */
const REMEMBERED = 50;

/** How many records a worker takes, or writes about, in one step: more would keep the server from others for too long. */
export const AT_ONCE = 64;

/** More than this goes with the next step, so that many large records do not fill the server's memory at once. */
export const FULL_BYTES: number = 256 * 1024;

/** Names of fields, as a script lists them. */
export function listed(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(", ");
}

/** Where the records of a queue and their parts are. `turnTo` says which of them the other functions are about. */
export const QUEUE: string = `
local call = redis.call
local prefix, queue = ARGV[1], ARGV[2]
local id, member, job
local function turnTo(which)
  id = which
  member = queue .. ':' .. id
  job = prefix .. ':' .. member
end
local function lock() return job .. ':lock' end
local function key(name) return prefix .. ':' .. name end
local function ofQueue(name) return prefix .. ':' .. queue .. ':' .. name end
`;

/** Where one record is. */
export const RECORD: string = `${QUEUE}
turnTo(ARGV[3])
`;

/**
 * What a record is. One that has not begun, or whose attempt has ended, only waits, whatever BullMQ has yet to make of it:
 * a worker that holds its lock still is refused once the lock is gone.
 */
export const STATE: string = `
local function stateOf(job)
  local known = redis.call('HMGET', job, 'h:end', 'h:run')
  if known[1] then return string.match(known[1], '%a+') end
  local runs = known[2] and string.find(known[2], ' ', 1, true)
  return runs and redis.call('EXISTS', job .. ':lock') == 1 and 'running' or 'pending'
end
`;

/** Begins an attempt, which counts from now on, whatever becomes of its worker. It is told what the record holds before. */
export const BEGIN: string = `
local function begin(now, fingerprint, finish, run, shared)
  if not fingerprint then
    -- Added, and never made a record of: it was not acknowledged, and is delivered again.
    call('LREM', ofQueue('active'), 1, id)
    call('SREM', ofQueue('stalled'), id)
    call('DEL', job, lock())
    return {'unknown'}
  end
  if finish then return {'ended', string.match(finish, '%a+')} end
  local total = 1
  if run then
    local before, started = string.match(run, '(%d+) ?(%d*)')
    if started ~= '' then call('HSET', job, 'h:a:' .. before, '[' .. started .. ',null,"lost"]') end
    total = before + 1
  end
  call('HSET', job, 'h:run', total .. ' ' .. now)
  if total > ${REMEMBERED} then call('HDEL', job, 'h:a:' .. (total - ${REMEMBERED})) end
  return {'begun', total, shared and call('HGET', key('b-' .. shared), 'bytes')}
end
`;

/**
 * Makes a record of a job that was added a moment before. Answers nothing, or the fingerprint of the record that was there
 * before. The record's fields are in `ARGV`, `from` one place `to` another.
 */
export const REMEMBER: string = `
local function remember(now, ignored, shared, from, to)
  local before = call('HGET', job, 'h:print')
  if before then return before end
  if ignored == '' and call('HEXISTS', job, 'data') == 0 then error('the job was not added', 0) end
  local seq = call('INCR', key('seq'))
  call('HSET', job, 'h:seq', seq, unpack(ARGV, from, to))
  call('SADD', key('queues'), queue)
  if shared ~= '' then call('HINCRBY', key('b-' .. shared), 'users', 1) end
  if ignored == '' then
    call('ZADD', key('open'), seq, member)
  else
    call('HSET', job, 'h:end', 'ignored ' .. now)
    call('ZADD', key('ignored'), seq, member)
    call('ZADD', key('ended'), now, member)
  end
  return false
end
local function keepBody(shared, bytes)
  local body = key('b-' .. shared)
  if call('HEXISTS', body, 'users') == 1 then call('HSETNX', body, 'bytes', bytes) end
end
`;

/** Puts a record from one set into another, and remembers what operators did with it. */
export const MOVE: string = `
local function move(from, to)
  call('ZREM', key(from), member)
  call('ZADD', key(to), call('HGET', job, 'h:seq'), member)
end
local function audit(entry)
  local n = call('HINCRBY', job, 'h:audits', 1)
  call('HSET', job, 'h:o:' .. n, entry)
  call('HDEL', job, 'h:o:' .. (n - ${REMEMBERED}))
end
`;

/**
 * Writes what an attempt has come to, and turns to its record: marks alone, or how it ended. Answers 1, or 0 where the
 * worker no longer has the record, and then nothing is written. Written once more, it changes nothing.
 *
 * From `from` on there are in `args`: the job id and token, the state that the record ends in (empty where it does not), its
 * place in the order of recording, how many values follow, and these: fields and what is to be in them, for nobody
 * else writes to a record that somebody has. `has` says that the worker is known to have it.
 */
export const WRITE: string = `
local function sizeOf(args, from) return 5 + args[from + 4] end
local function write(args, from, has)
  local token, comes, seq, count = unpack(args, from + 1, from + 4)
  turnTo(args[from])
  if not has and call('GET', lock()) ~= token then return 0 end
  -- First what a full server refuses: after a change it takes the rest of a script.
  for i = from + 5, from + 4 + count, 1000 do call('HSET', job, unpack(args, i, math.min(i + 999, from + 4 + count))) end
  if comes == '' then return 1 end
  call('ZADD', key(comes), seq, member)
  call('ZREM', key('open'), member)
  return 1
end
`;

/**
 * Several steps in one script. Each is answered by a pair: 1 and its answer, or 0 and what it failed with, which is no
 * failure of the others. Where all fail, as on a server that takes no more, the script does.
 */
export const EACH: string = `
local answers, failed, failure = {}, 0, nil
local function each(step, ...)
  local well, answer = pcall(step, ...)
  if not well then
    failure = type(answer) == 'table' and answer.err or tostring(answer)
    failed = failed + 1
    answer = failure
  end
  table.insert(answers, {well and 1 or 0, answer})
  return well, answer
end
local function all()
  if failed > 0 and failed == #answers then return redis.error_reply(failure) end
  return answers
end
`;

/**
 * Runs calls of BullMQ's scripts, which `foreign` holds, one after the other in one step.
 *
 * From `from` on there are in `ARGV`: how many models follow, each with a script's name, how many arguments that gets, and
 * these; then the calls, each with the number of its model (0: none), how many of its arguments are different from the call
 * before of that model, where each of these is and what it is, how many values follow for `step`, and these. `step` is told of
 * the model, and where in `ARGV` its values begin and end.
 */
export const CALLS: string = `
local function calls(from, step)
  local models, at = {}, from + 1
  for i = 1, tonumber(ARGV[from]) do
    local script, count = foreign[ARGV[at]], tonumber(ARGV[at + 1])
    models[i] = {run = script.run, last = script.keys, keys = {unpack(ARGV, at + 2, at + 1 + script.keys)},
      args = {unpack(ARGV, at + 2 + script.keys, at + 1 + count)}}
    at = at + 2 + count
  end
  while at <= #ARGV do
    local model, rest = models[tonumber(ARGV[at])], at + 2 + 2 * ARGV[at + 1]
    for i = at + 2, rest - 1, 2 do
      local place = tonumber(ARGV[i])
      if place <= model.last then model.keys[place] = ARGV[i + 1] else model.args[place - model.last] = ARGV[i + 1] end
    end
    each(step, model, rest + 1, rest + ARGV[rest])
    at = rest + 1 + ARGV[rest]
  end
  return all()
end
`;
