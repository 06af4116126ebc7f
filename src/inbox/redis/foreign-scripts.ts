import type { Redis } from "ioredis";
import { BEGIN, EACH, FULL_BYTES, QUEUE, WRITE } from "./lua.ts";

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
 * Runs scripts of BullMQ's, as they are, one after the other in one step. Before one that ends an attempt, what that came
 * to is written; at the jobs that one gives, attempts are begun.
 *
 * Each has, from `ARGV[5]` on: its name, how often it is to run, the token of what it gives where that is to have another
 * (else empty), how many arguments it gets, these, how many values follow for `WRITE`, and these. It runs again only as
 * long as it gives jobs, and these are not large. Each is answered by what BullMQ's script answered the first time, a list
 * of the jobs that it gave (their fields, their ids, and what begin answered about those that are records), and what was
 * answered to what was to be written.
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
local function once(script, keys, args, token)
  local answer = script.run(keys, args)
  if type(answer) ~= 'table' or type(answer[1]) ~= 'table' then return answer end
  turnTo(answer[2])
  local flat, fingerprint, state, started, total, shared = answer[1]
  for i = 1, #flat, 2 do
    local name, value = flat[i], flat[i + 1]
    bytes = bytes + #value
    if name == 'h:print' then fingerprint = value
    elseif name == 'h:state' then state = value
    elseif name == 'h:started' then started = value
    elseif name == 'h:total' then total = value
    elseif name == 'h:shared' then shared = value end
  end
  -- Where the job comes with the end of another, it has that one's token.
  if token ~= '' then call('SET', lock, token, 'PX', leaseMs) end
  local isRecord = string.sub(id, 1, 2) == 'e-'
  return answer, {flat, id, isRecord and begin(now, fingerprint, state, started, total, shared)}
end
local function run(from, written)
  local script, times, token, count = foreign[ARGV[from]], tonumber(ARGV[from + 1]), ARGV[from + 2], tonumber(ARGV[from + 3])
  local held = ARGV[written] ~= '0' and write(ARGV, written + 1)
  local keys, args = {}, {}
  for i = 1, count do
    if i <= script.keys then keys[i] = ARGV[from + 3 + i] else args[i - script.keys] = ARGV[from + 3 + i] end
  end
  local answer, job = once(script, keys, args, token)
  local jobs = {job}
  while job and #jobs < times and bytes < ${FULL_BYTES} do
    local well, _, another = pcall(once, script, keys, args, token)
    job = well and another
    if job then table.insert(jobs, job) end
  end
  return {type(answer) == 'table' and {false, answer[2], answer[3], answer[4]} or answer, jobs, held}
end
local from = 5
while from <= #ARGV do
  local written = from + 4 + ARGV[from + 3]
  each(run, from, written)
  from = written + 1 + ARGV[written]
end
return all()`;
}
