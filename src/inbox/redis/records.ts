import type { Queue } from "bullmq";
import type { Clock } from "../../clock.ts";
import type { NewRecord, Recorded } from "../record.ts";
import { bodyIdOf, jobIdOf, queueOf } from "./keys.ts";
import { base64, fieldsOf, type JobData } from "./rows.ts";
import type { Asked, InboxServer } from "./server.ts";
import { isForgotten, Transaction } from "./transaction.ts";

type RecordQueue = Queue<JobData, void>;

/** A body that several records of one delivery share. */
interface SharedBody {
  readonly id: string;
  readonly text: string;
}

type SharedBodies = ReadonlyMap<Uint8Array, SharedBody>;

/** Puts records into BullMQ's queues. */
export class RedisRecords {
  readonly #server: InboxServer;
  readonly #prefix: string;
  readonly #clock: Clock;
  readonly #queues = new Map<string, Promise<RecordQueue>>();

  constructor(server: InboxServer, prefix: string, clock: Clock) {
    this.#server = server;
    this.#prefix = prefix;
    this.#clock = clock;
  }

  /** See `Inbox.record`. */
  async record(records: readonly NewRecord[]): Promise<readonly Recorded[]> {
    if (records.length === 0) return [];
    const bodies = sharedAmong(records);
    try {
      return await this.#server.ask((asked) => this.#write(asked, records, bodies));
    } catch (error) {
      // The connection is a new one by now, on which scripts are sent as they are.
      if (isForgotten(error)) return this.#server.ask((asked) => this.#write(asked, records, bodies));
      throw error;
    }
  }

  async close(): Promise<void> {
    for (const queue of await Promise.allSettled(this.#queues.values())) {
      if (queue.status === "fulfilled") await queue.value.close();
    }
  }

  /** One transaction: it is all or none, and nothing comes between the look and the write. */
  async #write(asked: Asked, records: readonly NewRecord[], bodies: SharedBodies): Promise<readonly Recorded[]> {
    const queues = new Map<string, RecordQueue>();
    for (const { bus } of records) queues.set(bus, await this.#queue(asked, queueOf(bus)));
    const transaction = new Transaction(asked);
    const answers = records.map((record) => {
      const queue = queues.get(record.bus) as RecordQueue;
      return this.#add(asked, transaction, queue, record, bodies.get(record.body));
    });
    for (const { id, text } of bodies.values()) {
      transaction.run("hookbusKeepBody", [`${this.#prefix}:b-${id}`, this.#prefix, text]);
    }
    const results = await transaction.commit();
    return answers.map((answer): Recorded => {
      const fingerprint = results[answer];
      return typeof fingerprint === "string" ? { state: "duplicate", fingerprint } : { state: "recorded" };
    });
  }

  /** Says which result of the transaction tells what became of the record. */
  #add(asked: Asked, transaction: Transaction, queue: RecordQueue, record: NewRecord, shared?: SharedBody): number {
    const id = jobIdOf(record.key);
    const data: JobData = shared ? {} : { body: base64(record.body) };
    const options = { jobId: id, timestamp: record.receivedAt };
    const job = new asked.bullmq.Job<JobData, void>(queue, record.type ?? "event", data, options, id);
    const fields = fieldsOf(record, shared?.id);
    // BullMQ has no part in an ignored event, unless it is replayed one day.
    if (record.ignored) fields.push(...fieldsOfJob(job.name, data, record.receivedAt));
    else transaction.add((redis) => job.addJob(redis));
    return transaction.run("hookbusRemember", [
      queue.toKey(id),
      this.#prefix,
      queue.name,
      id,
      String(this.#clock.now()),
      record.ignored ? "1" : "",
      shared?.id ?? "",
      ...fields,
    ]);
  }

  async #queue({ client, bullmq }: Asked, name: string): Promise<RecordQueue> {
    const known = this.#queues.get(name);
    if (known) return known;
    const queue: RecordQueue = new bullmq.Queue<JobData, void>(name, { connection: client, prefix: this.#prefix });
    // Whoever asks for it is told.
    queue.on("error", () => undefined);
    const opened = queue.waitUntilReady().then(() => queue);
    this.#queues.set(name, opened);
    try {
      return await opened;
    } catch (error) {
      // BullMQ tries but once: the next delivery gets another one.
      this.#queues.delete(name);
      void queue.close().catch(() => undefined);
      throw error;
    }
  }
}

function sharedAmong(records: readonly NewRecord[]): SharedBodies {
  const seen = new Set<Uint8Array>();
  const bodies = new Map<Uint8Array, SharedBody>();
  for (const { body } of records) {
    if (seen.has(body) && !bodies.has(body)) bodies.set(body, { id: bodyIdOf(body), text: base64(body) });
    seen.add(body);
  }
  return bodies;
}

/** What BullMQ would write for a job that it is told of. */
function fieldsOfJob(name: string, data: JobData, timestamp: number): string[] {
  const fields = { name, data: JSON.stringify(data), opts: "{}", timestamp, delay: 0, priority: 0 };
  return Object.entries(fields).flatMap(([field, value]) => [field, String(value)]);
}
