import { BEGIN, CALLS, EACH, FULL_BYTES, listed, QUEUE, REMEMBER, WRITE } from "./lua.ts";
import { LEASED } from "./rows.ts";

/** A script of BullMQ's, as a client of Redis is told of it. */
export interface ForeignScript {
  readonly numberOfKeys: number;
  readonly lua: string;
}

/** Those that are run for every job. */
export const FOREIGN = ["addStandardJob", "moveToActive", "moveToFinished"] as const;

export type ForeignName = (typeof FOREIGN)[number];

type Scripts = Readonly<Record<ForeignName, ForeignScript>>;

/** Scripts of BullMQ's, as they are, in the table `foreign`. */
function tableOf(scripts: Scripts, ...names: readonly ForeignName[]): string {
  const entries = names.map((name) => {
    const { numberOfKeys, lua } = scripts[name];
    // To a script, its keys and arguments are variables of these names.
    return `
foreign['${name}'] = {keys = ${numberOfKeys}, run = function(KEYS, ARGV)
${lua}
end}`;
  });
  return `local foreign = {}${entries.join("")}
`;
}

/**
 * Adds jobs of several deliveries and makes records of them, but for those that are there. Each is answered by nothing, or
 * by the fingerprint of the record that was there before.
 *
 * `ARGV[2]` is the time and `ARGV[3]` how many shared bodies follow, each as its id and its bytes; after these come the calls.
 * With each of them: the queue, the job id, whether it is ignored, the id of its shared body, and the record's fields.
 */
export function recording(scripts: Scripts): string {
  return `${QUEUE}${REMEMBER}${EACH}${tableOf(scripts, "addStandardJob")}${CALLS}
local now, bodies = ARGV[2], tonumber(ARGV[3])
local answer = calls(4 + 2 * bodies, function(model, from, to)
  queue = ARGV[from]
  turnTo(ARGV[from + 1])
  local before = call('HGET', job, 'h:print')
  if before then return before end
  if model then model.run(model.keys, model.args) end
  return remember(now, ARGV[from + 2], ARGV[from + 3], from + 4, to)
end)
for i = 4, 3 + 2 * bodies, 2 do keepBody(ARGV[i], ARGV[i + 1]) end
return answer`;
}

/**
 * Takes and ends jobs. After the end of one, what its attempt came to is written; at the jobs that are given, attempts are
 * begun.
 *
 * `ARGV[3]` is the time and `ARGV[4]` the length of a lease; after these come the calls. With each of them: how often it is to
 * run, the token for a job that it gives and that attempts were begun at before (empty: BullMQ's), and what `WRITE` writes, if
 * anything. It runs again only as long as it gives jobs, and these are not large. Each is answered by what BullMQ's script
 * answered the first time, a list of the jobs that it gave (their fields, their ids, and what begin answered about those that
 * are records), and what was answered to what was to be written.
 */
export function delivering(scripts: Scripts): string {
  return `${QUEUE}${BEGIN}${WRITE}${EACH}${tableOf(scripts, "moveToActive", "moveToFinished")}${CALLS}
local now, leaseMs = ARGV[3], ARGV[4]
local bytes = 0
-- The fields that a client is told of, beside the marks ("h:m:"): it pays for each. Those that every job of BullMQ's has are not.
local isTold = {data = true, name = false, opts = false, timestamp = false, delay = false, priority = false, processedOn = false, ats = false}
for _, name in ipairs({${listed(LEASED)}}) do isTold[name] = true end
local function once(model, token)
  local answer = model.run(model.keys, model.args)
  if type(answer) ~= 'table' or type(answer[1]) ~= 'table' then return answer end
  turnTo(answer[2])
  local flat, count, most = answer[1], 0, #answer[1]
  local fingerprint, finish, run, shared
  for i = 1, most, 2 do
    local name, value = flat[i], flat[i + 1]
    if isTold[name] or isTold[name] == nil and string.byte(name, 3) == 109 and string.sub(name, 1, 4) == 'h:m:' then
      bytes = bytes + #value
      flat[count + 1], flat[count + 2], count = name, value, count + 2
      if name == 'h:print' then fingerprint = value
      elseif name == 'h:end' then finish = value
      elseif name == 'h:run' then run = value
      elseif name == 'h:shared' then shared = value end
    end
  end
  for i = most, count + 1, -1 do flat[i] = nil end
  -- Where the job comes with the end of another, it has that one's token; it may have had it before.
  if run and token ~= '' then call('SET', lock(), token, 'PX', leaseMs) end
  local isRecord = string.sub(id, 1, 2) == 'e-'
  return answer, {flat, id, isRecord and begin(now, fingerprint, finish, run, shared)}
end
-- What BullMQ answers where the job is gone, or its lock is not the worker's.
local refused = {[-1] = true, [-2] = true, [-6] = true}
return calls(5, function(model, from, to)
  local times, token = tonumber(ARGV[from]), ARGV[from + 1]
  local answer, job = once(model, token)
  local held = from + 2 <= to and (refused[answer] and 0 or write(ARGV, from + 2, true))
  local jobs = {job}
  while job and #jobs < times and bytes < ${FULL_BYTES} do
    local well, _, another = pcall(once, model, token)
    job = well and another
    if job then table.insert(jobs, job) end
  end
  return {type(answer) == 'table' and {false, answer[2], answer[3], answer[4]} or answer, jobs, held}
end)`;
}
