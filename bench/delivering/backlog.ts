import { Queue } from "bullmq";
import { Logger, makeWorkerUtils } from "graphile-worker";
import type { Pool } from "pg";
import type { Inbox } from "../../dist/inbox/inbox.js";
import { records } from "../storing/rows.ts";

/** Work that waits for workers. */
export interface Backlog {
  fill(count: number): Promise<void>;
  /** How much of it is not finished for good. */
  left(): Promise<number>;
  close(): Promise<unknown>;
}

export function inboxBacklog(inbox: Inbox): Backlog {
  return {
    async fill(count) {
      await Promise.all(records("bench", count).map((record) => inbox.record([record])));
    },
    async left() {
      const { pending, running, dead } = await inbox.counts();
      if (dead > 0) throw new Error(`${dead} events were given up`);
      return pending + running;
    },
    close: () => inbox.close(),
  };
}

/** Jobs of the same size, under keys of their own. */
export function bullmqBacklog(port: number): Backlog {
  const queue = new Queue("bench", { connection: { host: "127.0.0.1", port } });
  return {
    async fill(count) {
      const jobs = records("bench", count).map((record) => ({
        name: "event",
        data: { ...record, body: Buffer.from(record.body).toString("base64") },
        opts: { jobId: record.id },
      }));
      await queue.addBulk(jobs);
    },
    async left() {
      const { waiting = 0, active = 0, failed = 0 } = await queue.getJobCounts("waiting", "active", "failed");
      if (failed > 0) throw new Error(`${failed} jobs failed`);
      return waiting + active;
    },
    close: () => queue.close(),
  };
}

/** Jobs of the same size, under keys of their own. */
export async function graphileBacklog(pool: Pool, schema: string): Promise<Backlog> {
  const logger = new Logger(() => () => undefined);
  const utils = await makeWorkerUtils({ pgPool: pool, schema, logger });
  await utils.migrate();
  return {
    async fill(count) {
      const payloads = records("bench", count).map(
        (record) => JSON.parse(Buffer.from(record.body).toString()) as { id: string },
      );
      await utils.withPgClient(async (client) => {
        await client.query(
          `SELECT ${schema}.add_job('bench', payload, job_key := payload ->> 'id') FROM unnest($1::json[]) AS payload`,
          [payloads.map((payload) => JSON.stringify(payload))],
        );
      });
    },
    async left() {
      const { rows } = await pool.query(`SELECT count(*)::int AS jobs FROM ${schema}.jobs`);
      return rows[0].jobs;
    },
    close: async () => utils.release(),
  };
}
