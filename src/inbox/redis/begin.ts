import type { Clock } from "../../clock.ts";
import type { Policy } from "../policy.ts";
import type { RecordState } from "../record.ts";
import type { Begun } from "./gathering.ts";
import { type HeldJob, type RedisJobs, unlessRefused } from "./jobs.ts";
import { isRecordId } from "./keys.ts";
import { dataOf, fieldsFrom, lastMark, leasedRecord } from "./rows.ts";
import { RedisRun } from "./run.ts";
import type { InboxServer } from "./server.ts";
import type { RedisWriter } from "./writer.ts";

export interface BeginOptions {
  readonly server: InboxServer;
  readonly policy: Policy;
  readonly clock: Clock;
}

/** What the script answers. */
type Answer =
  | readonly ["lost" | "unknown"]
  | readonly ["ended", RecordState]
  | readonly ["begun", number, string | null, number, readonly string[], readonly (string | null)[]];

/** Begins an attempt at the record of a job. Nothing, where there is no record to be delivered. */
export async function begin(
  held: HeldJob,
  options: BeginOptions & { readonly jobs: RedisJobs; readonly writer: RedisWriter; readonly wantsNext: () => boolean },
): Promise<RedisRun | undefined> {
  const { server, policy, clock, jobs, writer, wantsNext } = options;
  const { job, token, where } = held;
  if (!isRecordId(where[3])) {
    // Somebody else's, in hookbus's queue: kept for them to see, and not delivered.
    await server.ask(({ bullmq }) => fail(bullmq.UnrecoverableError, held, "not a record of hookbus"));
    return undefined;
  }
  const begun = held.begun ?? (await beginNow(held, options));
  if (begun.came === "ended") {
    // Its worker vanished after the end of an attempt, and before BullMQ was told.
    const { state } = begun;
    await server.ask(({ bullmq }) =>
      state === "dead"
        ? fail(bullmq.UnrecoverableError, held, state)
        : unlessRefused(() => job.moveToCompleted(undefined, token, false)),
    );
  }
  if (begun.came !== "begun") return undefined;
  const { fields, total, shared, startedAt, heldUntil } = begun;
  const { body = "" } = fields.has("data") ? dataOf(fields) : job.data;
  return new RedisRun({
    job,
    token,
    server,
    jobs,
    writer,
    clock,
    startedAt,
    total,
    heldUntil,
    wantsNext,
    seq: fields.get("h:seq") ?? "",
    marked: lastMark(fields),
    record: leasedRecord(fields, total, shared ?? body, token, policy),
  });
}

async function beginNow({ where, token }: HeldJob, { server, clock }: BeginOptions): Promise<Begun> {
  const askedAt = performance.now();
  const startedAt = clock.now();
  const answer = (await server.ask(({ redis }) =>
    redis.runCommand("hookbusBegin", [...where, token, String(startedAt)]),
  )) as Answer;
  if (answer[0] === "ended") return { came: "ended", state: answer[1] };
  if (answer[0] !== "begun") return { came: answer[0] };
  const [came, total, shared, lockMs, names, values] = answer;
  const fields = fieldsFrom(
    names.flatMap((name, index) => {
      const value = values[index];
      return value === null || value === undefined ? [] : [name, value];
    }),
  );
  return { came, fields, total, shared: shared ?? undefined, startedAt, heldUntil: askedAt + lockMs };
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
