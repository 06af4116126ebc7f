import type { IRedisClient } from "bullmq";
import { type Clock, systemClock } from "../clock.ts";
import { Batch } from "./polled/batch.ts";
import type { RecordState } from "./record.ts";
import { type ForeignScripts, TOGETHER } from "./redis-foreign-scripts.ts";
import { type Fields, fieldsFrom } from "./redis-rows.ts";

export interface GatheringOptions {
  readonly redis: IRedisClient;
  readonly scripts: ForeignScripts;
  readonly prefix: string;
  readonly queue: string;
  readonly leaseMs: number;
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
  /** Its hash, as it was before an attempt was begun. */
  readonly fields: Fields;
  /** Nothing, where the job is no record. */
  readonly begun: Begun | undefined;
}

interface Call {
  readonly script: string;
  readonly args: readonly unknown[];
  /** How many jobs are wanted of it. */
  readonly times: number;
}

type BeginAnswer = readonly ["unknown"] | readonly ["ended", RecordState] | readonly ["begun", number, string | null];

type JobAnswer = readonly [fields: string[], id: string, begun: BeginAnswer | null];

type Answer =
  | readonly [well: 1, came: readonly [answer: unknown, jobs: readonly JobAnswer[]]]
  | readonly [well: 0, failure: string];

/** More would keep the server from everybody else for longer than some milliseconds. */
const MOST = 64;

/**
 * The client of Redis that BullMQ gets from hookbus. What BullMQ asks for at the same time goes to the server as one
 * command, and so do several jobs at once, at which attempts are begun on the way. The scripts are BullMQ's own, and so is
 * what they are told.
 */
export class Gathering {
  readonly client: IRedisClient;
  readonly #options: GatheringOptions;
  readonly #batch: Batch<Call, unknown>;
  #wanted = 0;
  #given: readonly Given[] = [];

  constructor(options: GatheringOptions) {
    this.#options = options;
    const { redis, leaseMs } = options;
    this.#batch = new Batch({
      flush: (calls) => this.#flush(calls),
      most: MOST,
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
    this.#given = [];
    this.#wanted = most;
    const [asked] = await Promise.allSettled([ask()]);
    this.#wanted = 0;
    // Those that were given are to be run.
    if (asked.status === "rejected" && this.#given.length === 0) throw asked.reason;
    return this.#given;
  }

  #run(command: string, args: unknown[]): Promise<unknown> {
    const { redis, scripts } = this.#options;
    const script = scripts.of(command);
    const takes = script === "moveToActive";
    if (!script || (takes && this.#wanted === 0)) return redis.runCommand(command, args);
    return this.#batch.add({ script, args, times: takes ? this.#wanted : 1 });
  }

  async #flush(calls: readonly Call[]): Promise<readonly unknown[]> {
    const { redis, prefix, queue, leaseMs, clock } = this.#options;
    const startedAt = clock.now();
    const heldUntil = performance.now() + leaseMs;
    const args: unknown[] = [`${prefix}:${queue}:active`, prefix, queue, startedAt];
    for (const call of calls) args.push(call.script, call.times, call.args.length, ...call.args);
    const answers = (await redis.runCommand(TOGETHER, args)) as readonly Answer[];
    return answers.map(([well, came]) => {
      if (well === 0) return new Error(came);
      const [answer, jobs] = came;
      const [first] = jobs;
      if (!first) return answer;
      this.#given = jobs.map(([flat, id, begun]) => {
        const fields = fieldsFrom(flat);
        return { id, fields, begun: begun ? begunFrom(begun, { fields, startedAt, heldUntil }) : undefined };
      });
      return [first[0], ...(answer as readonly unknown[]).slice(1)];
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
