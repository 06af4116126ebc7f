/**
 * What hookbus writes into a queue of BullMQ's, and reads from it, each in one step that nothing else gets into.
 *
 * A record is a job's hash, in fields that begin with `h:`; it stays there for ever, as the tombstone of its key, so that
 * BullMQ takes no second job of that name. Each record is in one of the sets `open`, `done`, `dead`, `ignored` and
 * `discarded`, by the order of recording; a record that ended is so by `h:state`, whatever BullMQ has yet to make of it.
 * The set `ended` holds those whose bodies are to be purged, by the time of their end.
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

/** Where the records of a queue and their parts are. `turnTo` says which of them the other functions are about. */
export const QUEUE: string = `
local call = redis.call
local prefix, queue = ARGV[1], ARGV[2]
local id, member, job, lock
local function turnTo(which)
  id = which
  member = queue .. ':' .. id
  job = prefix .. ':' .. member
  lock = job .. ':lock'
end
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
  local known = redis.call('HMGET', job, 'h:state', 'h:started')
  if known[1] then return known[1] end
  return known[2] and redis.call('EXISTS', job .. ':lock') == 1 and 'running' or 'pending'
end
`;

/** Begins an attempt, which counts from now on, whatever becomes of its worker. */
export const BEGIN: string = `
local function begin(now)
  local known = call('HMGET', job, 'h:print', 'h:state', 'h:started', 'h:total', 'h:shared')
  if not known[1] then
    -- Added, and never made a record of: it was not acknowledged, and is delivered again.
    call('LREM', ofQueue('active'), 1, id)
    call('SREM', ofQueue('stalled'), id)
    call('DEL', job, lock)
    return {'unknown'}
  end
  if known[2] then return {'ended', known[2]} end
  if known[3] then
    call('HSET', job, 'h:a:' .. known[4], '[' .. known[3] .. ',null,"lost"]')
  end
  local total = (known[4] or 0) + 1
  call('HSET', job, 'h:total', total, 'h:started', now)
  if total > ${REMEMBERED} then call('HDEL', job, 'h:a:' .. (total - ${REMEMBERED})) end
  return {'begun', total, known[5] and call('HGET', key('b-' .. known[5]), 'bytes')}
end
`;

/** Puts a record from one set into another, and remembers what operators did with it. */
export const MOVE: string = `
local function move(from, to)
  call('ZREM', key(from), member)
  call('ZADD', key(to), call('HGET', job, 'h:seq'), member)
end
local function ended(state, now, ...)
  call('HSET', job, 'h:state', state, 'h:ended', now, ...)
  if state ~= 'dead' then call('ZADD', key('ended'), now, member) end
end
local function audit(entry)
  local n = call('HINCRBY', job, 'h:audits', 1)
  call('HSET', job, 'h:o:' .. n, entry)
  call('HDEL', job, 'h:o:' .. (n - ${REMEMBERED}))
end
`;

/** Remembers that a subscriber is done; the first word about it counts. */
const MARK: string = `
local function mark(subscriber, how, at)
  local field = 'h:m:' .. subscriber
  local known = call('HMGET', job, field, 'h:marks')
  if known[1] then return end
  local marks = (known[2] or 0) + 1
  call('HSET', job, field, marks .. ' ' .. how .. ' ' .. at, 'h:marks', marks)
end
`;

/**
 * Writes what an attempt has come to, and turns to its record: marks alone, or how it ended. Answers 1, or 0 where the
 * worker no longer has the record.
 *
 * From `from` on there are in `args`: the job id and token, what becomes of the record (nothing yet: empty; `again` it is
 * due, `unbegun`, or a state that it ends in), the time, when it is due, its number among all attempts, how it went, and
 * how many marks follow, three values a mark.
 */
export const WRITE: string = `${MOVE}${MARK}
local function sizeOf(args, from) return 8 + 3 * args[from + 7] end
local function write(args, from)
  local token, comes, now, due, total, attempt = unpack(args, from + 1, from + 6)
  turnTo(args[from])
  if call('GET', lock) ~= token then return 0 end
  for i = from + 8, from + sizeOf(args, from) - 3, 3 do mark(args[i], args[i + 1], args[i + 2]) end
  if comes == '' then return 1 end
  if comes == 'unbegun' then
    call('HINCRBY', job, 'h:total', -1)
    call('HDEL', job, 'h:started')
  elseif comes == 'again' then
    call('HSET', job, 'h:a:' .. total, attempt, 'h:due', due)
    call('HDEL', job, 'h:started')
  else
    -- First what a full server refuses: after a change it takes the rest of a script.
    ended(comes, now, 'h:a:' .. total, attempt)
    move('open', comes)
  end
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
