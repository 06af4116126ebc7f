import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Pool } from "pg";
import { openSqlite, sqliteDriver } from "../../src/databases/sqlite-driver.ts";
import { EFFECTS } from "./engines.ts";
import type { Struck } from "./exposure.ts";
import type { Effect } from "./judge.ts";
import type { InboxName } from "./options.ts";
import { RedisServer } from "./redis-server.ts";
import type { Address } from "./task.ts";

/** Where the inbox of a run lives, as the parent has it. */
export interface Host {
  readonly address: Address;
  /** The rows that subscribers wrote in their transactions; absent where there are none. */
  readonly effects?: () => Promise<readonly Effect[]>;
  /** Kills the server, and starts it again; absent where it is not the soak's own. */
  readonly killServer?: () => Promise<Struck>;
  /** Removes all of it. */
  close(): Promise<void>;
}

const POSTGRES_URL = process.env["HOOKBUS_TEST_POSTGRES_URL"] ?? "postgres://postgres@127.0.0.1:5432/postgres";

const SELECT = "SELECT event, subscriber FROM";

/** Makes an empty place for an inbox, and the table of effects beside it. */
export function hostOf(inbox: InboxName, folder: string): Promise<Host> {
  switch (inbox) {
    case "sqlite":
      return sqliteHost(join(folder, "inbox.db"));
    case "postgres":
      return postgresHost(`hookbus_soak_${randomBytes(6).toString("hex")}`);
    case "redis":
      return redisHost(join(folder, "redis"));
  }
}

async function sqliteHost(path: string): Promise<Host> {
  const database = openSqlite(await sqliteDriver(), path);
  database.exec("PRAGMA journal_mode = WAL");
  database.exec(`CREATE TABLE ${EFFECTS}`);
  return {
    address: { inbox: "sqlite", path },
    effects: async () => database.prepare(`${SELECT} soak_effect`).all() as Effect[],
    close: async () => void database.close?.(),
  };
}

async function postgresHost(schema: string): Promise<Host> {
  const pool = new Pool({ connectionString: POSTGRES_URL, max: 1 });
  await pool.query(`CREATE SCHEMA "${schema}"`);
  await pool.query(`CREATE TABLE "${schema}".${EFFECTS}`);
  return {
    address: { inbox: "postgres", url: POSTGRES_URL, schema },
    effects: async () => (await pool.query<Effect>(`${SELECT} "${schema}".soak_effect`)).rows,
    async close() {
      // A session of a process that was killed may hold locks until the server notices.
      await pool.query(`DROP SCHEMA "${schema}" CASCADE`);
      await pool.end();
    },
  };
}

async function redisHost(folder: string): Promise<Host> {
  await mkdir(folder);
  const server = await RedisServer.start(folder);
  return {
    address: { inbox: "redis", port: server.port },
    async killServer() {
      const from = Date.now();
      await server.restart();
      return { process: undefined, from, to: Date.now() + RECONNECTED_MS };
    },
    close: () => server.kill(),
  };
}

/** How long a process may wait before it connects to a server that is up again, in milliseconds. */
const RECONNECTED_MS = 2_000;
