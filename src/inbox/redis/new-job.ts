import type { IRedisTransaction, Queue } from "bullmq";
import type { NewRecord } from "../record.ts";
import { bodyIdOf, jobIdOf } from "./keys.ts";
import { base64, fieldsOf, type JobData } from "./rows.ts";
import type { Asked } from "./server.ts";

export type RecordQueue = Queue<JobData, void>;

/** A job that is to be added, and made a record of. */
export interface NewJob {
  readonly id: string;
  /** Has BullMQ add it, by one command; absent for an ignored event, which BullMQ has no part in unless it is replayed one day. */
  readonly add: ((redis: IRedisTransaction) => unknown) | undefined;
  /** What makes a record of it, as `REMEMBER` is told: whether it is ignored, the id of its shared body, and its fields. */
  readonly record: readonly string[];
}

/** A body that several records of one delivery share. */
interface SharedBody {
  readonly id: string;
  readonly text: string;
}

export type SharedBodies = ReadonlyMap<Uint8Array, SharedBody>;

export function sharedAmong(records: readonly NewRecord[]): SharedBodies {
  const seen = new Set<Uint8Array>();
  const bodies = new Map<Uint8Array, SharedBody>();
  for (const { body } of records) {
    if (seen.has(body) && !bodies.has(body)) bodies.set(body, { id: bodyIdOf(body), text: base64(body) });
    seen.add(body);
  }
  return bodies;
}

export function newJob(bullmq: Asked["bullmq"], queue: RecordQueue, record: NewRecord, bodies: SharedBodies): NewJob {
  const id = jobIdOf(record.key);
  const shared = bodies.get(record.body);
  const data: JobData = shared ? {} : { body: base64(record.body) };
  const name = record.type ?? "event";
  const timestamp = record.receivedAt;
  const fields = fieldsOf(record, shared?.id);
  if (record.ignored) {
    return { id, add: undefined, record: ["1", shared?.id ?? "", ...fields, ...fieldsOfJob(name, data, timestamp)] };
  }
  const job = new bullmq.Job<JobData, void>(queue, name, data, { jobId: id, timestamp }, id);
  return { id, add: (redis) => job.addJob(redis), record: ["", shared?.id ?? "", ...fields] };
}

/** What BullMQ would write for a job that it is told of. */
function fieldsOfJob(name: string, data: JobData, timestamp: number): string[] {
  const fields = { name, data: JSON.stringify(data), opts: "{}", timestamp, delay: 0, priority: 0 };
  return Object.entries(fields).flatMap(([field, value]) => [field, String(value)]);
}
