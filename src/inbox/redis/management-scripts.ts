import { MOVE, RECORD, STATE } from "./lua.ts";

/** Delivers a record again. Answers what came of it: nothing, where there is no such record. */
export const replay: string = `${RECORD}${STATE}${MOVE}
local now, dryRun, only, entry = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
if call('HEXISTS', job, 'h:print') == 0 then return false end
local state = stateOf(job)
if state == 'running' then return 'running' end
if call('HEXISTS', job, 'h:purged') == 1 then return 'purged' end
if dryRun ~= '' then return 'replayed' end
local waits = false
if state == 'pending' then
  waits = call('ZREM', ofQueue('delayed'), id) == 0 and call('LREM', ofQueue('active'), 0, id) == 0
else
  move(state, 'open')
  call('ZREM', key('ended'), member)
  call('ZREM', ofQueue('completed'), id)
  call('ZREM', ofQueue('failed'), id)
  call('LREM', ofQueue('active'), 0, id)
end
call('SREM', ofQueue('stalled'), id)
-- Where a worker has yet to tell BullMQ how the attempt ended, it must not any more.
call('DEL', lock)
local again = {}
for i = 8, #ARGV do again['h:m:' .. ARGV[i]] = true end
for _, name in ipairs(call('HKEYS', job)) do
  if string.sub(name, 1, 4) == 'h:m:' and (only == '' or again[name]) then call('HDEL', job, name) end
end
call('HDEL', job, 'h:state', 'h:ended', 'h:only', 'h:started', 'finishedOn', 'processedOn', 'failedReason',
  'returnvalue', 'stacktrace', 'atm', 'ats', 'stc')
if only ~= '' then call('HSET', job, 'h:only', only) end
call('HSET', job, 'h:was', state == 'done' and 1 or 0, 'h:replayed', 1, 'h:due', now, 'delay', 0,
  'h:base', call('HGET', job, 'h:total') or 0)
audit(entry)
if not waits then
  call('LPUSH', ofQueue('wait'), id)
  call('ZADD', ofQueue('marker'), 0, '0')
  call('XADD', ofQueue('events'), 'MAXLEN', '~', 10000, '*', 'event', 'waiting', 'jobId', id)
end
return 'replayed'`;

/** Gives a record up. Answers 0 where it is neither pending nor dead. */
export const discard: string = `${RECORD}${STATE}${MOVE}
local now, entry = ARGV[4], ARGV[5]
if call('HEXISTS', job, 'h:print') == 0 then return 0 end
local state = stateOf(job)
if state == 'dead' then
  call('ZREM', ofQueue('failed'), id)
  call('LREM', ofQueue('active'), 0, id)
elseif state == 'pending' then
  if call('ZREM', ofQueue('delayed'), id) == 0 and call('LREM', ofQueue('active'), 0, id) == 0 then
    call('LREM', ofQueue('wait'), 1, id)
  end
else
  return 0
end
call('SREM', ofQueue('stalled'), id)
call('DEL', lock)
move(state == 'dead' and 'dead' or 'open', 'discarded')
ended('discarded', now)
audit(entry)
return 1`;

/**
 * Drops the bodies of some records that ended long enough ago, and says how many. What is left is written anew: Redis packs
 * a hash of few short fields, but none that was ever larger.
 */
export const purge: string = `
local call = redis.call
local prefix, before, most = ARGV[1], ARGV[2], ARGV[3]
local members = call('ZRANGEBYSCORE', KEYS[1], '-inf', before, 'LIMIT', 0, most)
local kept = {'h:seq', 'h:key', 'h:bus', 'h:provider', 'h:id', 'h:type', 'h:trust', 'h:secret', 'h:print', 'h:at',
  'h:state', 'h:ended', 'h:total', 'h:base'}
for _, member in ipairs(members) do
  local job = prefix .. ':' .. member
  local shared = call('HGET', job, 'h:shared')
  if shared then
    local body = prefix .. ':b-' .. shared
    if call('HINCRBY', body, 'users', -1) <= 0 then call('DEL', body) end
  end
  local fields = {'h:purged', 1}
  for i, value in ipairs(call('HMGET', job, unpack(kept))) do
    if value then table.insert(fields, kept[i]) table.insert(fields, value) end
  end
  for _, name in ipairs(call('HKEYS', job)) do
    local kind = string.sub(name, 1, 4)
    if kind == 'h:o:' then
      table.insert(fields, name)
      table.insert(fields, call('HGET', job, name))
    end
  end
  call('ZREM', KEYS[1], member)
  if #fields > 2 then
    call('DEL', job)
    call('HSET', job, unpack(fields))
  end
  local queue, id = string.match(member, '^(.*):(.*)$')
  call('ZREM', prefix .. ':' .. queue .. ':completed', id)
end
return #members`;

const SUMMARY = `'h:seq', 'h:key', 'h:bus', 'h:provider', 'h:id', 'h:type', 'h:trust', 'h:at', 'h:total', 'h:base', 'h:due', 'h:ended', 'h:purged'`;

/**
 * Looks through some records, the newest first, for those that fit. Answers where to go on, nothing at the end, and what
 * it found. A filter is empty, or \`=\` and the value.
 */
export const find: string = `${STATE}
local call = redis.call
local prefix, from, after, most, want = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local bus, state, kind, id, since, till = ARGV[6], ARGV[7], ARGV[8], ARGV[9], tonumber(ARGV[10]), tonumber(ARGV[11])
if after ~= '' then
  local seq
  for _, queue in ipairs(call('SMEMBERS', prefix .. ':queues')) do
    seq = seq or call('HGET', prefix .. ':' .. queue .. ':' .. after, 'h:seq')
  end
  if not seq then return {false} end
  from = '(' .. seq
end
local sets = {'open', 'done', 'dead', 'ignored', 'discarded'}
if state == '=pending' or state == '=running' then sets = {'open'}
elseif state ~= '' then sets = {string.sub(state, 2)} end
local rows = {}
for _, set in ipairs(sets) do
  local found = call('ZREVRANGEBYSCORE', prefix .. ':' .. set, from, '-inf', 'WITHSCORES', 'LIMIT', 0, most)
  for i = 1, #found, 2 do table.insert(rows, {found[i], found[i + 1], tonumber(found[i + 1])}) end
end
table.sort(rows, function(one, other) return one[3] > other[3] end)
local answer = {false}
for i = 1, math.min(#rows, most) do
  local member, seq = rows[i][1], rows[i][2]
  local job = prefix .. ':' .. member
  local row = call('HMGET', job, ${SUMMARY})
  local is = stateOf(job)
  local at = tonumber(row[8])
  if row[2] and (bus == '' or bus == '=' .. row[3]) and (state == '' or state == '=' .. is) and (id == '' or id == '=' .. row[5])
    and (kind == '' or kind == '=' .. (row[6] or '')) and (not since or at >= since) and (not till or at < till) then
    table.insert(row, is)
    table.insert(row, member)
    table.insert(answer, row)
  end
  answer[1] = seq
  if #answer - 1 == want then return answer end
end
if #rows < most then answer[1] = false end
return answer`;

/** All that is known of one record. */
export const get: string = `${STATE}
local call = redis.call
local prefix, id = ARGV[1], ARGV[2]
for _, queue in ipairs(call('SMEMBERS', KEYS[1])) do
  local job = prefix .. ':' .. queue .. ':' .. id
  if call('HEXISTS', job, 'h:print') == 1 then
    local shared = call('HGET', job, 'h:shared')
    return {queue, stateOf(job), shared and call('HGET', prefix .. ':b-' .. shared, 'bytes'), call('HGETALL', job)}
  end
end
return false`;

/** How many records are in each state: open, running, done, dead, ignored, discarded. */
export const count: string = `${STATE}
local call = redis.call
local prefix = ARGV[1]
local running = 0
for _, queue in ipairs(call('SMEMBERS', KEYS[1])) do
  for _, id in ipairs(call('LRANGE', prefix .. ':' .. queue .. ':active', 0, -1)) do
    local job = prefix .. ':' .. queue .. ':' .. id
    if stateOf(job) == 'running' then running = running + 1 end
  end
end
local counts = {running}
for _, set in ipairs({'open', 'done', 'dead', 'ignored', 'discarded'}) do
  table.insert(counts, call('ZCARD', prefix .. ':' .. set))
end
return counts`;
