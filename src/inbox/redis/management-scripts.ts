import { listed, MOVE, RECORD, STATE } from "./lua.ts";
import { FACTS, PIECE } from "./rows.ts";

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
call('DEL', lock())
local again = {}
for i = 8, #ARGV do again['h:m:' .. ARGV[i]] = true end
for _, name in ipairs(call('HKEYS', job)) do
  if string.sub(name, 1, 4) == 'h:m:' and (only == '' or again[name]) then call('HDEL', job, name) end
end
local total = string.match(call('HGET', job, 'h:run') or '0', '%d+')
call('HDEL', job, 'h:end', 'h:only', 'finishedOn', 'processedOn', 'failedReason',
  'returnvalue', 'stacktrace', 'atm', 'ats', 'stc')
if only ~= '' then call('HSET', job, 'h:only', only) end
call('HSET', job, 'h:was', state == 'done' and 1 or 0, 'h:replayed', 1, 'h:due', now, 'delay', 0,
  'h:run', total, 'h:base', total)
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
call('DEL', lock())
move(state == 'dead' and 'dead' or 'open', 'discarded')
call('HSET', job, 'h:end', 'discarded ' .. now)
call('ZADD', key('ended'), now, member)
audit(entry)
return 1`;

/**
 * Drops the bodies of some records that ended long enough ago, and says how many. What is left is written anew: Redis packs
 * a hash of few short fields, but none that was ever larger, nor one with a long field: the facts are cut into pieces.
 */
export const purge: string = `
local call = redis.call
local prefix, before, most = ARGV[1], ARGV[2], tonumber(ARGV[3])
local kept = {'h:seq', 'h:print', 'h:end', 'h:run', 'h:base'}
local function purge(job)
  local shared, facts = unpack(call('HMGET', job, 'h:shared', 'h:facts'), 1, 2)
  if not facts then return end
  if shared then
    local body = prefix .. ':b-' .. shared
    if call('HINCRBY', body, 'users', -1) <= 0 then call('DEL', body) end
  end
  local fields = {'h:purged', 1}
  for i, value in ipairs(call('HMGET', job, unpack(kept))) do
    if value then table.insert(fields, kept[i]) table.insert(fields, value) end
  end
  for from = 1, #facts, ${PIECE} do
    table.insert(fields, from == 1 and 'h:facts' or 'h:facts:' .. from)
    table.insert(fields, string.sub(facts, from, from + ${PIECE} - 1))
  end
  for _, name in ipairs(call('HKEYS', job)) do
    if string.sub(name, 1, 4) == 'h:o:' then
      table.insert(fields, name)
      table.insert(fields, call('HGET', job, name))
    end
  end
  call('DEL', job)
  for i = 1, #fields, 1000 do call('HSET', job, unpack(fields, i, math.min(i + 999, #fields))) end
end
local purged = 0
for _, member in ipairs(call('ZRANGEBYSCORE', KEYS[1], '-inf', before, 'LIMIT', 0, most)) do
  call('ZREM', KEYS[1], member)
  purge(prefix .. ':' .. member)
  purged = purged + 1
end
for _, queue in ipairs(call('SMEMBERS', prefix .. ':queues')) do
  local completed = prefix .. ':' .. queue .. ':completed'
  for _, id in ipairs(call('ZRANGEBYSCORE', completed, '-inf', before, 'LIMIT', 0, most - purged)) do
    if string.sub(id, 1, 2) == 'e-' then
      call('ZREM', completed, id)
      purge(prefix .. ':' .. queue .. ':' .. id)
      purged = purged + 1
    end
  end
end
return purged`;

/** The fields that make up a row of what `find` finds, in their order. */
export const COLUMNS = ["h:facts", "h:run", "h:base", "h:due", "h:end", "h:purged"] as const;

/**
 * Looks through some records, the newest first, for those that fit. Answers where to go on, nothing at the end, and what
 * it found. A filter is empty, or \`=\` and the value.
 */
export const find: string = `${STATE}
local call = redis.call
local prefix, from, after, most, want = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local bus, state, kind, id, since, till = ARGV[6], ARGV[7], ARGV[8], ARGV[9], tonumber(ARGV[10]), tonumber(ARGV[11])
local function fit(wanted, fact) return wanted == '' or wanted == '=' .. fact end
local function fits(text)
  if bus == '' and kind == '' and id == '' and not since and not till then return true end
  local facts = cjson.decode(text)
  local at, type = facts[${FACTS.indexOf("receivedAt") + 1}], facts[${FACTS.indexOf("type") + 1}]
  return fit(bus, facts[${FACTS.indexOf("bus") + 1}]) and fit(id, facts[${FACTS.indexOf("id") + 1}]) and fit(kind, type == cjson.null and '' or type)
    and (not since or at >= since) and (not till or at < till)
end
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
  local row = call('HMGET', job, ${listed(COLUMNS)})
  local is = stateOf(job)
  for from = ${PIECE + 1}, row[6] and 1e6 or 0, ${PIECE} do
    local piece = call('HGET', job, 'h:facts:' .. from)
    if not piece then break end
    row[1] = row[1] .. piece
  end
  if row[1] and (state == '' or state == '=' .. is) and fits(row[1]) then
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
