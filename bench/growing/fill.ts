import type { Pool } from "pg";
import { openSqlite, sqliteDriver } from "../../src/databases/sqlite-driver.ts";

/** The bodies are small: a million large ones would measure the disk. */
const BODY = '{"object":"event","type":"charge.succeeded","data":{"object":{}}}';

/** Every column that a delivery fills, under keys in no order, as ids are. */
const COLUMNS = "key, bus, provider, event_id, type, state, verified_by, fingerprint, received_at, request, due_at";
const rows = (id: string, now: number): string => `'bench:' || ${id}, 'bench', 'stripe', ${id}, 'charge.succeeded',
'pending', 'signature', 'x', ${now}, '{"method":"POST","url":"/stripe","headers":{}}', ${now}`;

/** Makes `size` records pending in the file of an inbox, all at once. */
export async function fillSqlite(path: string, size: number): Promise<void> {
  const database = openSqlite(await sqliteDriver(), path);
  const id = "id";
  database.exec(`BEGIN;
INSERT INTO hookbus_inbox (${COLUMNS}) SELECT ${rows(id, Date.now())} FROM (
  WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < ${size})
  SELECT 'evt_' || hex(randomblob(12)) AS id FROM counted);
INSERT INTO hookbus_inbox_body (seq, body) SELECT seq, CAST('${BODY}' AS BLOB) FROM hookbus_inbox;
COMMIT; ANALYZE`);
  database.close?.();
}

/** Makes `size` records pending in the schema of an inbox, all at once. */
export async function fillPostgres(pool: Pool, schema: string, size: number): Promise<void> {
  const id = "'evt_' || md5(n::text)";
  await pool.query(`INSERT INTO ${schema}.hookbus_inbox (${COLUMNS})
SELECT ${rows(id, Date.now())} FROM generate_series(1, ${size}) AS n`);
  await pool.query(`INSERT INTO ${schema}.hookbus_inbox_body (seq, body)
SELECT seq, convert_to('${BODY}', 'UTF8') FROM ${schema}.hookbus_inbox`);
  await pool.query(`ANALYZE ${schema}.hookbus_inbox, ${schema}.hookbus_inbox_body`);
}
