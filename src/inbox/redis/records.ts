import type { IRedisTransaction } from "bullmq";
import { type Clock, systemClock } from "../../clock.ts";
import { Batch } from "../polled/batch.ts";
import type { NewRecord, Recorded } from "../record.ts";
import { Calls, type ForeignCall } from "./calls.ts";
import { unanswered } from "./errors.ts";
import { type ForeignScripts, RECORDING } from "./foreign-scripts.ts";
import { queueOf } from "./keys.ts";
import { AT_ONCE } from "./lua.ts";
import { type NewJob, newJob, type RecordQueue, type SharedBodies, sharedAmong } from "./new-job.ts";
import type { JobData } from "./rows.ts";
import type { Asked, InboxServer } from "./server.ts";
import { isForgotten, Transaction } from "./transaction.ts";

/** How long a delivery waits, at the longest: a little more than a server may take, whose trouble says more. */
const LIMIT_MS = 6_000;

/** The records of one delivery. */
type Delivery = readonly NewRecord[];

/** The jobs of one delivery, each with its queue. */
type Jobs = readonly (readonly [queue: RecordQueue, job: NewJob])[];

type Answer = readonly [well: 1, fingerprint: string | null] | readonly [well: 0, failure: string];

/** Puts records into BullMQ's queues; those of deliveries that come at the same time, in one step. */
export class RedisRecords {
  readonly #server: InboxServer;
  readonly #prefix: string;
  readonly #clock: Clock;
  readonly #queues = new Map<string, Promise<RecordQueue>>();
  readonly #batch: Batch<Delivery, readonly Recorded[]>;

  constructor(server: InboxServer, prefix: string, clock: Clock) {
    this.#server = server;
    this.#prefix = prefix;
    this.#clock = clock;
    this.#batch = new Batch({
      flush: (deliveries) => this.#flush(deliveries),
      most: AT_ONCE,
      // Between the server's answer to one and the start of the next, both would wait for each other.
      flights: 4,
      weigh: (records) => records.reduce((sum, { body }) => sum + body.byteLength, 0),
      timeoutMs: LIMIT_MS,
      clock: systemClock,
    });
  }

  /** See `Inbox.record`. */
  async record(records: Delivery): Promise<readonly Recorded[]> {
    return records.length === 0 ? [] : this.#batch.add(records);
  }

  async close(): Promise<void> {
    for (const queue of await Promise.allSettled(this.#queues.values())) {
      if (queue.status === "fulfilled") await queue.value.close();
    }
  }

  async #flush(deliveries: readonly Delivery[]): Promise<readonly (readonly Recorded[] | Error)[]> {
    const together = await this.#server.ask((asked) => this.#together(asked, deliveries));
    if (together) return together;
    return Promise.all(deliveries.map((records) => this.#alone(records).catch((error: Error) => error)));
  }

  /** Nothing, where hookbus does not know the script that BullMQ adds jobs by. */
  async #together(
    asked: Asked,
    deliveries: readonly Delivery[],
  ): Promise<readonly (readonly Recorded[] | Error)[] | undefined> {
    const records = deliveries.flat();
    const bodies = sharedAmong(records);
    const jobs = await this.#jobs(asked, records, bodies);
    if (!asked.scripts.known) return undefined;
    const calls = new Calls();
    for (const [queue, { id, add, record }] of jobs) {
      const call = add && told(add, asked.scripts);
      if (add && !call) return undefined;
      calls.add(call, [queue.name, id, ...record]);
    }
    const shared = [...bodies.values()].flatMap(({ id, text }) => [id, text]);
    const answers = (await asked.redis.runCommand(RECORDING, [
      `${this.#prefix}:seq`,
      this.#prefix,
      this.#clock.now(),
      bodies.size,
      ...shared,
      ...calls.args,
    ])) as readonly Answer[];
    let from = 0;
    return deliveries.map(({ length }) => {
      from += length;
      return recordedBy(answers.slice(from - length, from));
    });
  }

  /** One transaction: it is all or none, and nothing comes between the look and the write. */
  async #alone(records: Delivery): Promise<readonly Recorded[]> {
    const bodies = sharedAmong(records);
    const write = (): Promise<readonly Recorded[]> => this.#server.ask((asked) => this.#write(asked, records, bodies));
    try {
      return await write();
    } catch (error) {
      // The connection is a new one by now, on which scripts are sent as they are.
      if (isForgotten(error)) return write();
      throw error;
    }
  }

  async #write(asked: Asked, records: Delivery, bodies: SharedBodies): Promise<readonly Recorded[]> {
    const jobs = await this.#jobs(asked, records, bodies);
    const transaction = new Transaction(asked);
    const now = String(this.#clock.now());
    const places = jobs.map(([queue, { id, add, record }]) => {
      if (add) transaction.add(add);
      return transaction.run("hookbusRemember", [queue.toKey(id), this.#prefix, queue.name, id, now, ...record]);
    });
    for (const { id, text } of bodies.values()) {
      transaction.run("hookbusKeepBody", [`${this.#prefix}:b-${id}`, this.#prefix, id, text]);
    }
    const results = await transaction.commit();
    return places.map((place) => recorded(results[place]));
  }

  async #jobs(asked: Asked, records: Delivery, bodies: SharedBodies): Promise<Jobs> {
    const queues = new Map<string, RecordQueue>();
    for (const { bus } of records) if (!queues.has(bus)) queues.set(bus, await this.#queue(asked, queueOf(bus)));
    return records.map((record) => {
      const queue = queues.get(record.bus) as RecordQueue;
      return [queue, newJob(asked.bullmq, queue, record, bodies)];
    });
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

/** The script that BullMQ would have the server run, and what it would tell it; nothing, where that is not as it was known. */
function told(add: NonNullable<NewJob["add"]>, scripts: ForeignScripts): ForeignCall | undefined {
  let call: ForeignCall | undefined;
  const runCommand = (command: string, args: readonly unknown[]): void => {
    const script = scripts.of(command);
    call = script && { script, args };
  };
  // Should it ask for more than that one day, it fails here, and the job is added in the other way.
  Promise.resolve(add({ runCommand } as unknown as IRedisTransaction)).catch(() => undefined);
  return call;
}

/** What became of the records of a delivery. One that is not recorded is an error of its delivery alone. */
function recordedBy(answers: readonly Answer[]): readonly Recorded[] | Error {
  const all: Recorded[] = [];
  for (const [well, answer] of answers) {
    if (well === 0) return unanswered(new Error(answer));
    all.push(recorded(answer));
  }
  return all;
}

/** A record that was there before is known by its fingerprint. */
function recorded(fingerprint: unknown): Recorded {
  return typeof fingerprint === "string" ? { state: "duplicate", fingerprint } : { state: "recorded" };
}
