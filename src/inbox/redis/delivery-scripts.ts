import { BEGIN, EACH, MARK, MOVE, QUEUE, RECORD } from "./lua.ts";

/**
 * Makes a record of a job that was added a moment before, in the same transaction. Answers nothing, or the fingerprint of
 * the record that was there before.
 */
export const remember: string = `${RECORD}
local now, ignored, shared = ARGV[4], ARGV[5], ARGV[6]
local before = call('HGET', job, 'h:print')
if before then return before end
if ignored == '' and call('HEXISTS', job, 'data') == 0 then return redis.error_reply('the job was not added') end
local seq = call('INCR', key('seq'))
call('HSET', job, 'h:seq', seq, 'h:due', now, unpack(ARGV, 7))
call('SADD', key('queues'), queue)
if shared ~= '' then call('HINCRBY', key('b-' .. shared), 'users', 1) end
if ignored == '' then
  call('ZADD', key('open'), seq, member)
else
  call('HSET', job, 'h:state', 'ignored', 'h:ended', now)
  call('ZADD', key('ignored'), seq, member)
  call('ZADD', key('ended'), now, member)
end
return false`;

/** Keeps the bytes that records of the same transaction share, if any of them is new. */
export const keepBody: string = `
if redis.call('HEXISTS', KEYS[1], 'users') == 1 then redis.call('HSETNX', KEYS[1], 'bytes', ARGV[2]) end`;

/** A worker begins an attempt at the job that BullMQ has given it. Answers what it needs to know. */
export const begin: string = `${RECORD}${BEGIN}
local token, now = ARGV[4], ARGV[5]
if call('GET', lock) ~= token then return {'lost'} end
local begun = begin(now)
if begun[1] ~= 'begun' then return begun end
local names = {}
for _, name in ipairs(call('HKEYS', job)) do
  local kind = string.sub(name, 1, 4)
  if string.sub(name, 1, 2) == 'h:' and kind ~= 'h:a:' and kind ~= 'h:o:' then table.insert(names, name) end
end
return {'begun', begun[2], begun[3], call('PTTL', lock), names, call('HMGET', job, unpack(names))}`;

/**
 * Writes what attempts have come to: marks alone, or how they ended, before BullMQ is told. Answers each by 1, or by 0 where
 * the worker no longer has the record.
 *
 * Each has, from `ARGV[3]` on: its job id and token, what becomes of the record (nothing yet: empty; `again` it is due,
 * `unbegun`, or a state that it ends in), the time, when it is due, its number among all attempts, how it went, and how
 * many marks follow, three values a mark.
 */
export const write: string = `${QUEUE}${MOVE}${MARK}${EACH}
local function write(from)
  local token, comes, now, due, total, attempt, marks = unpack(ARGV, from + 1, from + 7)
  turnTo(ARGV[from])
  if call('GET', lock) ~= token then return 0 end
  for i = from + 8, from + 5 + 3 * marks, 3 do mark(ARGV[i], ARGV[i + 1], ARGV[i + 2]) end
  if comes == '' then return 1 end
  if comes == 'unbegun' then
    call('HINCRBY', job, 'h:total', -1)
    call('HDEL', job, 'h:started')
  elseif comes == 'again' then
    call('HSET', job, 'h:a:' .. total, attempt, 'h:due', due)
    call('HDEL', job, 'h:started')
  else
    call('HSET', job, 'h:a:' .. total, attempt)
    move('open', comes)
    ended(comes, now)
  end
  return 1
end
local from = 3
while from <= #ARGV do
  each(write, from)
  from = from + 8 + 3 * ARGV[from + 7]
end
return all()`;
