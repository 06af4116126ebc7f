import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Queue, Worker } from "bullmq";
import type { Delivered, InboxBus } from "../src/inbox/inbox.ts";
import { redisInbox } from "../src/inbox/redis.ts";
import { RedisServer } from "../tools/soak/redis-server.ts";
import { type Contender, rate, ratio, rounds } from "./rounds.ts";
import { aRecord } from "./storing/rows.ts";

/*
 * How fast are recorded events delivered on Redis? Events a second from the start of a worker until all are done, beside a
 * bare BullMQ worker with an empty task over jobs of the same size, both on a server with `appendfsync always`.
 */

const ROUNDS = Number(process.env["BENCH_ROUNDS"] ?? 11);
const COUNT = 1_000;
const CONCURRENCY = 50;

/** Does nothing with what is delivered, and keeps none of it, as the empty task does. */
class EmptyBus implements InboxBus {
  readonly name = "bench";
  delivered = (): void => undefined;

  assertReady(): void {}

  async deliver(): Promise<Delivered> {
    this.delivered();
    return { outcome: { outcome: "done" } };
  }

  troubled(error: unknown): void {
    throw error;
  }
}

const folder = await mkdtemp(join(tmpdir(), "hookbus-bench-"));
const server = await RedisServer.start(folder);
const connection = { host: "127.0.0.1", port: server.port };

/** Filled before the clock starts. */
const filled = { inbox: await fillInbox(), queue: await fillQueue() };

const contenders: Contender[] = [
  {
    name: "redisInbox",
    slice: async () => {
      const { inbox, bus } = filled.inbox;
      await new Promise<void>((resolve) => {
        let left = COUNT;
        bus.delivered = () => {
          left -= 1;
          if (left === 0) resolve();
        };
        inbox.work(bus, { concurrency: CONCURRENCY });
      });
      while ((await inbox.counts()).done < COUNT) await new Promise((resolve) => setTimeout(resolve, 2));
      return COUNT;
    },
    after: async () => {
      await filled.inbox.inbox.close();
      filled.inbox = await fillInbox();
    },
  },
  {
    name: "bare BullMQ",
    slice: async () => {
      const { queue } = filled.queue;
      const worker = new Worker(queue.name, async () => undefined, { connection, concurrency: CONCURRENCY });
      worker.on("error", () => undefined);
      while ((await queue.getJobCounts("completed"))["completed"] !== COUNT) {
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      filled.queue.worker = worker;
      return COUNT;
    },
    after: async () => {
      await filled.queue.worker?.close();
      await filled.queue.queue.close();
      filled.queue = await fillQueue();
    },
  },
];

const all = await rounds(contenders, ROUNDS);
console.log(`redis: delivered ${rate(all, "redisInbox")}/s, bare BullMQ ${rate(all, "bare BullMQ")}/s`);
console.log(`redis: delivered / bare BullMQ = ${ratio(all, "redisInbox", "bare BullMQ").toFixed(2)} (goal 0.70)`);
await filled.inbox.inbox.close();
await filled.queue.queue.close();
await server.kill();
await rm(folder, { recursive: true });

async function fillInbox() {
  const inbox = redisInbox({ connection, prefix: `bench-${randomUUID()}` });
  const bus = new EmptyBus();
  const records = Array.from({ length: COUNT }, () => aRecord("bench"));
  await Promise.all(records.map((record) => inbox.record([record])));
  return { inbox, bus };
}

async function fillQueue() {
  const queue = new Queue(`bench-${randomUUID()}`, { connection });
  const jobs = Array.from({ length: COUNT }, () => {
    const record = aRecord("bench");
    return {
      name: "event",
      data: { ...record, body: Buffer.from(record.body).toString("base64") },
      opts: { jobId: randomUUID() },
    };
  });
  await queue.addBulk(jobs);
  const worker: Worker | undefined = undefined;
  return { queue, worker: worker as Worker | undefined };
}
