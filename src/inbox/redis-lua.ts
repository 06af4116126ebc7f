/**
 * What hookbus writes into a queue of BullMQ's, and reads from it, each in one step that nothing else gets into.
 *
 * A record is a job's hash, in fields that begin with `h:`; it stays there for ever, as the tombstone of its key, so that
 * BullMQ takes no second job of that name. Each record is in one of the sets `open`, `done`, `dead`, `ignored` and
 * `discarded`, by the order of recording; a record that ended is so by `h:state`, whatever BullMQ has yet to make of it.
 * The set `ended` holds those whose bodies are to be purged, by the time of their end.
 *
 * All scripts get the inbox's prefix as `ARGV[1]`, and those about one record its queue and job id as `ARGV[2]` and
 * `ARGV[3]`. `KEYS[1]` is there for those who look at what a command touches.
 */

/** How many attempts, and how many of an operator's doings, are kept of a record. */
export const REMEMBERED = 50;

/** Where a record and its parts are. */
export const RECORD: string = `
local call = redis.call
local prefix, queue, id = ARGV[1], ARGV[2], ARGV[3]
local member = queue .. ':' .. id
local job = prefix .. ':' .. member
local lock = job .. ':lock'
local function key(name) return prefix .. ':' .. name end
local function ofQueue(name) return prefix .. ':' .. queue .. ':' .. name end
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

/** Puts a record from one set into another, and remembers what operators did with it. */
export const MOVE: string = `
local function move(from, to)
  call('ZREM', key(from), member)
  call('ZADD', key(to), call('HGET', job, 'h:seq'), member)
end
local function ended(state, now)
  call('HSET', job, 'h:state', state, 'h:ended', now)
  if state ~= 'dead' then call('ZADD', key('ended'), now, member) end
end
local function audit(entry)
  local n = call('HINCRBY', job, 'h:audits', 1)
  call('HSET', job, 'h:o:' .. n, entry)
  call('HDEL', job, 'h:o:' .. (n - ${REMEMBERED}))
end
`;

/** Remembers that a subscriber is done; the first word about it counts. */
export const MARK: string = `
local function mark(subscriber, how, at)
  local field = 'h:m:' .. subscriber
  if call('HEXISTS', job, field) == 1 then return end
  call('HSET', job, field, call('HINCRBY', job, 'h:marks', 1) .. ' ' .. how .. ' ' .. at)
end
`;
