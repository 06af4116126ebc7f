import { setTimeout as sleep } from "node:timers/promises";
import type { DeliveryContext } from "../../src/bus/context.ts";
import type { PostgresClient } from "../../src/databases/postgres.ts";
import { openSqlite, type SqliteDatabase, sqliteDriver } from "../../src/databases/sqlite-driver.ts";
import type { Inbox, InboxOptions } from "../../src/inbox/inbox.ts";
import { postgresInbox } from "../../src/inbox/postgres.ts";
import { redisInbox } from "../../src/inbox/redis.ts";
import { sqliteInbox } from "../../src/inbox/sqlite.ts";
import type { Effect } from "./judge.ts";
import { LEASE_MS } from "./plan.ts";
import type { Address } from "./task.ts";

/** An inbox as a process uses it, and what its subscribers write beside it. */
export interface Engine {
  readonly inbox: Inbox;
  /** Writes an effect in the transaction that marks the subscriber as done; absent where there are none. */
  readonly effect?: (context: DeliveryContext, effect: Effect, ms: number) => Promise<void>;
  /** Commits `fn` in a transaction of its own, as nobody should: for planted faults alone. */
  readonly alone?: <Tx, T>(fn: (tx: Tx) => T | Promise<T>) => Promise<T>;
  close(): Promise<void>;
}

/** So many attempts that no event is given up because its workers were killed. */
const POLICY: InboxOptions = { leaseMs: LEASE_MS, backoff: { baseMs: 50, capMs: 500 }, attempts: 100 };

/** A table without any constraint: what is written twice is there twice. */
export const EFFECTS = "soak_effect (event text, subscriber text)";

export async function engineAt(address: Address): Promise<Engine> {
  switch (address.inbox) {
    case "sqlite":
      return sqliteEngine(address.path);
    case "postgres":
      return postgresEngine(address.url, address.schema);
    case "redis":
      return redisEngine(address.port);
  }
}

function sqliteEngine(path: string): Engine {
  const insert = (database: SqliteDatabase, { event, subscriber }: Effect): void => {
    database.prepare("INSERT INTO soak_effect VALUES (?, ?)").run(...([event, subscriber] as never[]));
  };
  const inbox = sqliteInbox({ ...POLICY, path });
  return {
    inbox,
    effect: (context, effect) => context.transaction((tx: SqliteDatabase) => insert(tx, effect)),
    async alone<Tx, T>(fn: (tx: Tx) => T | Promise<T>): Promise<T> {
      const database = openSqlite(await sqliteDriver(), path);
      try {
        database.exec("BEGIN IMMEDIATE");
        // Not awaited in here: whatever of this process wrote meanwhile would wait for this very transaction.
        const result = fn(database as Tx);
        database.exec("COMMIT");
        return await result;
      } finally {
        database.close?.();
      }
    },
    close: () => inbox.close(),
  };
}

async function postgresEngine(url: string, schema: string): Promise<Engine> {
  // Imported where it is used: a process that was killed is to be up again soon.
  const { Pool } = await import("pg");
  const pool = new Pool({ connectionString: url, max: 12 });
  const inbox = postgresInbox({ ...POLICY, pool, schema });
  return {
    inbox,
    effect: (context, { event, subscriber }, ms) =>
      context.transaction(async (client: PostgresClient) => {
        await client.query(`INSERT INTO "${schema}".soak_effect VALUES ($1, $2)`, [event, subscriber]);
        // Open for a while, so that blows find it half done.
        await sleep(ms / 2);
      }),
    async alone<Tx, T>(fn: (tx: Tx) => T | Promise<T>): Promise<T> {
      const client = await pool.connect();
      try {
        await client.query("BEGIN");
        const result = await fn(client as Tx);
        await client.query("COMMIT");
        return result;
      } finally {
        client.release();
      }
    },
    async close() {
      await inbox.close();
      await pool.end();
    },
  };
}

/** Without transactions: all of its subscribers are plain ones. */
function redisEngine(port: number): Engine {
  const inbox = redisInbox({ ...POLICY, connection: `redis://127.0.0.1:${port}` });
  return { inbox, close: () => inbox.close() };
}
