import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import { Client, Pool } from "pg";

/**
 * Servers that specs need and that not every machine has. Where one cannot be reached, its specs are pending, and a line
 * says how to run them; with `HOOKBUS_TEST_REQUIRE=1` they fail instead.
 */
export const POSTGRES_URL = process.env["HOOKBUS_TEST_POSTGRES_URL"] ?? "postgres://postgres@127.0.0.1:5432/postgres";
export const REDIS_URL = process.env["HOOKBUS_TEST_REDIS_URL"] ?? "redis://127.0.0.1:6379";

type Suite = Mocha.Context;

/** In a `before` hook: ends the suite as pending where there is no PostgreSQL. */
export async function needPostgres(suite: Suite): Promise<void> {
  await need(suite, "PostgreSQL", "HOOKBUS_TEST_POSTGRES_URL", async () => {
    const client = new Client({ connectionString: POSTGRES_URL, connectionTimeoutMillis: 2_000 });
    await client.connect();
    await client.end();
  });
}

/** In a `before` hook: ends the suite as pending where there is no Redis. */
export async function needRedis(suite: Suite): Promise<void> {
  await need(suite, "Redis", "HOOKBUS_TEST_REDIS_URL", async () => {
    const client = new Redis(REDIS_URL, { lazyConnect: true, retryStrategy: () => null, connectTimeout: 2_000 });
    client.on("error", () => undefined);
    try {
      await client.connect();
    } finally {
      client.disconnect();
    }
  });
}

const told = new Set<string>();

async function need(suite: Suite, server: string, variable: string, reach: () => Promise<void>): Promise<void> {
  try {
    await reach();
  } catch (cause) {
    const how = `start ${server} on its standard port, or name another by ${variable}`;
    if (process.env["HOOKBUS_TEST_REQUIRE"]) throw new Error(`${server} cannot be reached: ${how}`, { cause });
    if (!told.has(server)) console.log(`    ${server} cannot be reached, so its specs are pending: ${how}`);
    told.add(server);
    suite.skip();
  }
}

/** A schema of its own on the PostgreSQL server, so that suites may run side by side. */
export interface TestSchema {
  readonly schema: string;
  readonly pool: Pool;
  /** Drops the schema, and ends the pool. */
  drop(): Promise<void>;
}

export async function testSchema(max = 10): Promise<TestSchema> {
  const schema = `hookbus_${randomBytes(6).toString("hex")}`;
  const pool = new Pool({ connectionString: POSTGRES_URL, max });
  await pool.query(`CREATE SCHEMA ${schema}`);
  return {
    schema,
    pool,
    drop: async () => {
      await pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
      await pool.end();
    },
  };
}

/** What the keys of one suite begin with, on a Redis server that others use too. */
export function testPrefix(): string {
  return `hookbus-spec-${randomBytes(6).toString("hex")}`;
}
