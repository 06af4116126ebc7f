import type { Clock } from "../clock.ts";
import type { Policy } from "./policy.ts";
import type { RecordState } from "./record.ts";
import { type HeldJob, unlessRefused } from "./redis-jobs.ts";
import { isRecordId } from "./redis-keys.ts";
import { fieldsFrom, leasedRecord } from "./redis-rows.ts";
import { RedisRun } from "./redis-run.ts";
import type { RedisServer } from "./redis-server.ts";

export interface BeginOptions {
  readonly server: RedisServer;
  readonly policy: Policy;
  readonly clock: Clock;
}

/** What the script answers. */
type Begun =
  | readonly ["lost" | "unknown"]
  | readonly ["ended", RecordState]
  | readonly ["begun", number, string | null, readonly string[], readonly string[]];

/** Begins an attempt at the record of a job. Nothing, where there is no record to be delivered. */
export async function begin(held: HeldJob, { server, policy, clock }: BeginOptions): Promise<RedisRun | undefined> {
  const { job, token, where } = held;
  if (!isRecordId(where[3])) {
    // Somebody else's, in hookbus's queue: kept for them to see, and not delivered.
    await server.ask(({ bullmq }) => fail(bullmq.UnrecoverableError, held, "not a record of hookbus"));
    return undefined;
  }
  const askedAt = performance.now();
  const startedAt = clock.now();
  const begun = (await server.ask(({ redis }) =>
    redis.runCommand("hookbusBegin", [...where, token, String(startedAt)]),
  )) as Begun;
  if (begun[0] === "ended") {
    // Its worker vanished after the end of an attempt, and before BullMQ was told.
    const [, state] = begun;
    await server.ask(({ bullmq }) =>
      state === "dead"
        ? fail(bullmq.UnrecoverableError, held, state)
        : unlessRefused(() => job.moveToCompleted(undefined, token, false)),
    );
  }
  if (begun[0] !== "begun") return undefined;
  const [, lockMs, shared, names, values] = begun;
  const fields = fieldsFrom(names.flatMap((name, index) => [name, values[index] as string]));
  return new RedisRun({
    ...held,
    server,
    clock,
    startedAt,
    total: Number(fields.get("h:total")),
    heldUntil: askedAt + lockMs,
    record: leasedRecord(fields, shared ?? job.data.body ?? "", token, policy),
  });
}

async function fail(
  Unrecoverable: new (message: string) => Error,
  { job, token }: HeldJob,
  why: string,
): Promise<void> {
  const error = new Unrecoverable(why);
  // BullMQ would keep it with the job.
  error.stack = "";
  await unlessRefused(() => job.moveToFailed(error, token, false));
}
