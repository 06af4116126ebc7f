import type { Redis } from "ioredis";
import { BEGIN, EACH, FULL_BYTES, QUEUE, WRITE } from "./lua.ts";
import { LEASED } from "./rows.ts";

/** A script of BullMQ's, as a client of Redis is told of it. */
export interface ForeignScript {
  readonly numberOfKeys: number;
  readonly lua: string;
}

/** Those that a worker has run for every job. */
const NAMES = ["moveToActive", "moveToFinished"] as const;

export type ForeignName = (typeof NAMES)[number];

/** The command that runs them together. */
export const TOGETHER = "hookbusTogether";

/**
 * The scripts of BullMQ's that hookbus runs several of in one step. What they do is BullMQ's affair, and so is what they are
 * told; hookbus takes them from the client to which BullMQ gives them.
 */
export class ForeignScripts {
  readonly #known = new Map<string, ForeignScript>();
  readonly #client: Redis;
  #ready = false;

  constructor(client: Redis) {
    this.#client = client;
    const define = client.defineCommand.bind(client);
    client.defineCommand = (command, definition) => {
      const { lua, numberOfKeys = 0 } = definition;
      const name = nameOf(command);
      if (name) this.#known.set(name, { lua, numberOfKeys });
      define(command, definition);
    };
  }

  /** The script that a command of BullMQ's stands for, if it can be run together with others. */
  of(command: string): ForeignName | undefined {
    if (this.#known.size < NAMES.length) return undefined;
    const name = nameOf(command);
    if (name && !this.#ready) {
      this.#client.defineCommand(TOGETHER, { numberOfKeys: 1, lua: together(Object.fromEntries(this.#known)) });
      this.#ready = true;
    }
    return name;
  }
}

/** BullMQ has its version in the names of its commands. */
function nameOf(command: string): ForeignName | undefined {
  const [name] = command.split(":");
  return NAMES.find((each) => each === name);
}

/**
 * Runs scripts of BullMQ's, as they are, one after the other in one step. After one that ends an attempt, what that came to
 * is written; at the jobs that one gives, attempts are begun.
 *
 * `ARGV[5]` is how many models of a call follow, for calls have most of their arguments in common: each has a script's name,
 * how many arguments that gets, and these. Each call has, from there on: the number of its model, how often it is to run,
 * the token for a job that it gives and that attempts were begun at before (empty: BullMQ's), how many of its arguments
 * are not those of the call before of that model, where each of them is and what it is, how many values follow for `WRITE`, and these. It runs again
 * only as long as it gives jobs, and these are not large. Each is answered by what BullMQ's script answered the first time,
 * a list of the jobs that it gave (their fields, their ids, and what begin answered about those that are records), and what
 * was answered to what was to be written.
 */
function together(scripts: Readonly<Record<string, ForeignScript>>): string {
  const functions = Object.entries(scripts).map(
    // To a script, its keys and arguments are variables of these names.
    ([name, { numberOfKeys, lua }]) => `
foreign['${name}'] = {keys = ${numberOfKeys}, run = function(KEYS, ARGV)
${lua}
end}`,
  );
  return `${QUEUE}${BEGIN}${WRITE}${EACH}
local foreign = {}
${functions.join("\n")}
local now, leaseMs = ARGV[3], ARGV[4]
local bytes = 0
-- The fields that a client is told of, beside the marks ("h:m:"): it pays for each. Those that every job of BullMQ's has are not.
local isTold = {data = true, name = false, opts = false, timestamp = false, delay = false, priority = false, processedOn = false, ats = false}
for _, name in ipairs({${LEASED.map((name) => `'${name}'`).join(", ")}}) do isTold[name] = true end
local function once(script, keys, args, token)
  local answer = script.run(keys, args)
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
local models, from = {}, 6
for i = 1, tonumber(ARGV[5]) do
  local script, count = foreign[ARGV[from]], tonumber(ARGV[from + 1])
  models[i] = {script = script, keys = {unpack(ARGV, from + 2, from + 1 + script.keys)},
    args = {unpack(ARGV, from + 2 + script.keys, from + 1 + count)}}
  from = from + 2 + count
end
-- What BullMQ answers where the job is gone, or its lock is not the worker's.
local refused = {[-1] = true, [-2] = true, [-6] = true}
local function run(from, written)
  local model, times, token = models[tonumber(ARGV[from])], tonumber(ARGV[from + 1]), ARGV[from + 2]
  local script, keys, args = model.script, model.keys, model.args
  for i = from + 4, written - 1, 2 do
    local place = tonumber(ARGV[i])
    if place <= script.keys then keys[place] = ARGV[i + 1] else args[place - script.keys] = ARGV[i + 1] end
  end
  local answer, job = once(script, keys, args, token)
  local held = ARGV[written] ~= '0' and (refused[answer] and 0 or write(ARGV, written + 1, true))
  local jobs = {job}
  while job and #jobs < times and bytes < ${FULL_BYTES} do
    local well, _, another = pcall(once, script, keys, args, token)
    job = well and another
    if job then table.insert(jobs, job) end
  end
  return {type(answer) == 'table' and {false, answer[2], answer[3], answer[4]} or answer, jobs, held}
end
while from <= #ARGV do
  local written = from + 4 + 2 * ARGV[from + 3]
  each(run, from, written)
  from = written + 1 + ARGV[written]
end
return all()`;
}
