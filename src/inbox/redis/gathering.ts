import type { IRedisClient } from "bullmq";
import { type Clock, systemClock } from "../../clock.ts";
import { Batch } from "../polled/batch.ts";
import type { RecordState } from "../record.ts";
import { Calls, type ForeignCall } from "./calls.ts";
import { unanswered } from "./errors.ts";
import { DELIVERING, type ForeignScripts } from "./foreign-scripts.ts";
import { type Fields, fieldsFrom } from "./rows.ts";
import type { InboxServer } from "./server.ts";
import { type Written, writtenArgs } from "./written.ts";

export interface GatheringOptions {
  readonly server: InboxServer;
  readonly redis: IRedisClient;
  readonly scripts: ForeignScripts;
  readonly prefix: string;
  readonly queue: string;
  readonly leaseMs: number;
  /** How many calls go together at the most. */
  readonly most: number;
  readonly clock: Clock;
}

/** What came of beginning an attempt at a job. */
export type Begun =
  | { readonly came: "unknown" | "lost" }
  | { readonly came: "ended"; readonly state: RecordState }
  | {
      readonly came: "begun";
      readonly fields: Fields;
      /** The number of the attempt among all of the record, those before a replay included. */
      readonly total: number;
      /** The body, where other records share it. */
      readonly shared: string | undefined;
      readonly startedAt: number;
      /** Until when the lock lasts for sure, as `performance.now` counts. */
      readonly heldUntil: number;
    };

/** A job that BullMQ has given. */
export interface Given {
  readonly id: string;
  /** What its record is, as it was before an attempt was begun. */
  readonly fields: Fields;
  /** Nothing, where the job is no record. */
  readonly begun: Begun | undefined;
}

/** How many jobs are wanted at once, and those that were given. */
interface Wanted {
  readonly most: number;
  /** What is to hold their locks, where attempts at them were begun before. */
  readonly token?: string | undefined;
  given: readonly Given[];
}

/** What is to be written when BullMQ finishes a job, and whether the worker still had it. */
interface Ending {
  readonly written: Written;
  readonly wanted: Wanted | undefined;
  held: boolean | undefined;
}

/** What came of the end of an attempt. */
export interface Ended {
  /** Whether the worker still had the record. */
  readonly held: boolean;
  /** The job that BullMQ gave with it, and what holds its lock. */
  readonly next: { readonly given: Given; readonly token: string } | undefined;
}

interface Call extends ForeignCall {
  readonly wanted: Wanted | undefined;
  readonly ending: Ending | undefined;
}

type BeginAnswer = readonly ["unknown"] | readonly ["ended", RecordState] | readonly ["begun", number, string | null];

type JobAnswer = readonly [fields: string[], id: string, begun: BeginAnswer | null];

type Answer =
  | readonly [well: 1, came: readonly [answer: unknown, jobs: readonly JobAnswer[], held: 0 | 1 | null]]
  | readonly [well: 0, failure: string];

/** What BullMQ's script answers where it has finished a job, and was not asked for another. */
const FINISHED = 0;

/**
 * The client of Redis that BullMQ gets from hookbus. What BullMQ asks for at the same time goes to the server as one
 * command, and so do several jobs at once, at which attempts are begun on the way, and what ended attempts came to. The
 * scripts are BullMQ's own, and so is what they are told.
 */
export class Gathering {
  readonly client: IRedisClient;
  readonly #options: GatheringOptions;
  readonly #batch: Batch<Call, unknown>;
  /** By the keys of the jobs. */
  readonly #endings = new Map<unknown, Ending>();
  #wanted: Wanted | undefined;
  readonly #records: string;
  #finishes = false;

  constructor(options: GatheringOptions) {
    this.#options = options;
    const { redis, prefix, queue, leaseMs, most } = options;
    this.#records = `${prefix}:${queue}:e-`;
    this.#batch = new Batch({
      flush: (calls) => this.#flush(calls),
      most,
      flights: 2,
      // A job that is given later than that is somebody else's by then.
      timeoutMs: leaseMs,
      clock: systemClock,
    });
    const runCommand: IRedisClient["runCommand"] = (command, args) => this.#run(command, args);
    this.client = new Proxy(redis, {
      get: (target, property) => (property === "runCommand" ? runCommand : Reflect.get(target, property)),
    });
  }

  /**
   * Where BullMQ asks for a job meanwhile, it gets one that an attempt has been begun at, and hookbus gets up to `most` of
   * them, that one too; all have the lock that BullMQ asked for. Whatever becomes of BullMQ's call, those are given.
   */
  async several(most: number, ask: () => Promise<unknown>): Promise<readonly Given[]> {
    const wanted: Wanted = { most, given: [] };
    this.#wanted = wanted;
    const [asked] = await Promise.allSettled([ask()]);
    this.#wanted = undefined;
    // Those that were given are to be run.
    if (asked.status === "rejected" && wanted.given.length === 0) throw asked.reason;
    return wanted.given;
  }

  /** Whether BullMQ's calls can be gathered: it has finished a job in the way that hookbus knows. */
  get gathers(): boolean {
    return this.#finishes;
  }

  /**
   * Writes what an attempt came to in the same step in which BullMQ finishes its job, as it is asked to by `ask`. Where the
   * worker no longer had the record, BullMQ refuses. Where BullMQ is asked for the next job too, it is held by this one's
   * token, or by `nextToken` if an attempt at it was begun before: whoever made that may have this one's token still.
   */
  async ending(written: Written, ask: () => Promise<unknown>, nextToken?: string): Promise<Ended> {
    const { prefix, queue } = this.#options;
    const key = `${prefix}:${queue}:${written.id}`;
    const wanted: Wanted | undefined = nextToken === undefined ? undefined : { most: 1, token: nextToken, given: [] };
    const ending: Ending = { written, wanted, held: undefined };
    this.#endings.set(key, ending);
    try {
      await ask();
    } finally {
      if (this.#endings.get(key) === ending) this.#endings.delete(key);
    }
    if (ending.held === undefined) throw new Error("BullMQ finished a job in a way that hookbus does not know");
    const given = wanted?.given[0];
    const token = given?.fields.has("h:run") ? (nextToken as string) : written.token;
    return { held: ending.held, next: given && { given, token } };
  }

  #run(command: string, args: unknown[]): Promise<unknown> {
    const { redis, scripts } = this.#options;
    const script = scripts.of(command);
    const wanted = script === "moveToActive" ? this.#wanted : undefined;
    if (!script || (script === "moveToActive" && !wanted)) return redis.runCommand(command, args);
    if (script === "moveToActive") return this.#batch.add({ script, args, wanted, ending: undefined });
    // It is told of the job's key, by which what is to be written is found.
    this.#finishes ||= args.some((arg) => String(arg).startsWith(this.#records));
    const key = args.find((arg) => this.#endings.has(arg));
    const ending = this.#endings.get(key);
    return this.#batch.add({ script, args, wanted: ending?.wanted, ending });
  }

  async #flush(calls: readonly Call[]): Promise<readonly unknown[]> {
    const { server, prefix, queue, leaseMs, clock } = this.#options;
    const startedAt = clock.now();
    const heldUntil = performance.now() + leaseMs;
    const gathered = new Calls();
    for (const call of calls) {
      const { most = 1, token = "" } = call.wanted ?? {};
      gathered.add(call, [most, token, ...(call.ending ? writtenArgs(call.ending.written) : [])]);
    }
    const args = [`${prefix}:${queue}:active`, prefix, queue, startedAt, leaseMs, ...gathered.args];
    const answers = (await server.ask(({ redis }) => redis.runCommand(DELIVERING, args))) as Answer[];
    // Emptied: ioredis writes functions right into properties of its commands, which V8 then puts into its old space, and
    // with them the answer, until the next major turn of the garbage collector.
    return answers.splice(0).map(([well, came], index) => {
      if (well === 0) return unanswered(new Error(came));
      const [answer, jobs, held] = came;
      const { wanted, ending } = calls[index] as Call;
      if (ending) ending.held = held === 1;
      const [first] = jobs;
      if (!wanted || !first) return answer;
      wanted.given = jobs.map(([flat, id, begun]) => {
        const fields = fieldsFrom(flat);
        return { id, fields, begun: begun ? begunFrom(begun, { fields, startedAt, heldUntil }) : undefined };
      });
      // Whoever ends an attempt gets the next job by `ending`: BullMQ is told that it finished one, and no more.
      return ending ? FINISHED : [first[0], ...(answer as readonly unknown[]).slice(1)];
    });
  }
}

function begunFrom(
  answer: BeginAnswer,
  rest: { readonly fields: Fields; readonly startedAt: number; readonly heldUntil: number },
): Begun {
  if (answer[0] === "ended") return { came: "ended", state: answer[1] };
  if (answer[0] === "unknown") return { came: "unknown" };
  const [came, total, shared] = answer;
  return { came, total, shared: shared ?? undefined, ...rest };
}
