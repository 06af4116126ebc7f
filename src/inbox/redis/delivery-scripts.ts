import { BEGIN, EACH, listed, QUEUE, RECORD, REMEMBER, WRITE } from "./lua.ts";
import { LEASED } from "./rows.ts";

/**
 * Makes a record of a job that was added a moment before, in the same transaction. Answers nothing, or the fingerprint of
 * the record that was there before.
 */
export const remember: string = `${RECORD}${REMEMBER}
return remember(ARGV[4], ARGV[5], ARGV[6], 7, #ARGV)`;

/** Keeps the bytes that records of the same transaction share, if any of them is new. */
export const keepBody: string = `${QUEUE}${REMEMBER}
keepBody(ARGV[2], ARGV[3])`;

/** A worker begins an attempt at the job that BullMQ has given it. Answers what it needs to know. */
export const begin: string = `${RECORD}${BEGIN}
local token, now = ARGV[4], ARGV[5]
if call('GET', lock()) ~= token then return {'lost'} end
local begun = begin(now, unpack(call('HMGET', job, 'h:print', 'h:end', 'h:run', 'h:shared'), 1, 4))
if begun[1] ~= 'begun' then return begun end
local names = {${listed(LEASED)}}
for _, name in ipairs(call('HKEYS', job)) do
  if string.sub(name, 1, 4) == 'h:m:' then table.insert(names, name) end
end
return {'begun', begun[2], begun[3], call('PTTL', lock()), names, call('HMGET', job, unpack(names))}`;

/** Writes what attempts have come to: marks alone, or how they ended. Answers each by what `WRITE` answers. */
export const write: string = `${QUEUE}${WRITE}${EACH}
local from = 3
while from <= #ARGV do
  each(write, ARGV, from)
  from = from + sizeOf(ARGV, from)
end
return all()`;
