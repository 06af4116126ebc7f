import { Pool } from "pg";

/** Looked for as the specs look for it. */
export const POSTGRES_URL = process.env["HOOKBUS_TEST_POSTGRES_URL"] ?? "postgres://postgres@127.0.0.1:5432/postgres";

/** Schemas of a bench's own, which are gone when it is over. */
export async function withSchemas<T>(names: readonly string[], use: (pool: Pool) => Promise<T>): Promise<T> {
  const pool = new Pool({ connectionString: POSTGRES_URL, max: 10 });
  const drop = async (): Promise<void> => {
    for (const name of names) await pool.query(`DROP SCHEMA IF EXISTS ${name} CASCADE`);
  };
  try {
    await drop();
    for (const name of names) await pool.query(`CREATE SCHEMA ${name}`);
    return await use(pool);
  } finally {
    await drop();
    await pool.end();
  }
}
