import { MARK, MOVE, RECORD, REMEMBERED } from "./redis-lua.ts";

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

/** A worker begins an attempt at the job that BullMQ has just given it. Answers what it needs to know. */
export const begin: string = `${RECORD}
local token, now = ARGV[4], ARGV[5]
if call('GET', lock) ~= token then return {'lost'} end
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
local total = call('HINCRBY', job, 'h:total', 1)
call('HSET', job, 'h:started', now)
call('HDEL', job, 'h:a:' .. (total - ${REMEMBERED}))
local names = {}
for _, name in ipairs(call('HKEYS', job)) do
  local kind = string.sub(name, 1, 4)
  if string.sub(name, 1, 2) == 'h:' and kind ~= 'h:a:' and kind ~= 'h:o:' then table.insert(names, name) end
end
local bytes = known[5] and call('HGET', key('b-' .. known[5]), 'bytes')
return {'begun', call('PTTL', lock), bytes, names, call('HMGET', job, unpack(names))}`;

/** Marks a subscriber as done. Answers 0 where the worker no longer has the record. */
export const markDone: string = `${RECORD}${MARK}
if call('GET', lock) ~= ARGV[4] then return 0 end
mark(ARGV[5], ARGV[6], ARGV[7])
return 1`;

/** Writes how an attempt ended, before BullMQ is told. Answers 0 where the worker no longer has the record. */
export const endAttempt: string = `${RECORD}${MOVE}${MARK}
local token, now, state, due, total, attempt = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9]
if call('GET', lock) ~= token then return 0 end
for i = 10, #ARGV, 3 do mark(ARGV[i], ARGV[i + 1], ARGV[i + 2]) end
call('HSET', job, 'h:a:' .. total, attempt, 'h:due', due)
call('HDEL', job, 'h:started')
if state ~= '' then
  move('open', state)
  ended(state, now)
end
return 1`;
