import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "pg";
import PgBoss from "pg-boss";
import { openSqlite, sqliteDriver } from "../src/databases/sqlite-driver.ts";
import { postgresInbox } from "../src/inbox/postgres.ts";
import { RECORD_COLUMNS, valuesOf } from "../src/inbox/sql/rows.ts";
import { sqliteInbox } from "../src/inbox/sqlite.ts";
import { type Contender, rate, ratio, rounds } from "./rounds.ts";
import { aRecord, sixtyFourWaiting } from "./rows.ts";

/*
 * How fast is a durable accept? Events a second of `record`, 64 waiting, beside the driver's own group-committed insert of
 * the same rows into the same tables, and beside pg-boss's `send`, all in the same run.
 */

const ROUNDS = Number(process.env["BENCH_ROUNDS"] ?? 11);
const URL = process.env["HOOKBUS_TEST_POSTGRES_URL"] ?? "postgres://postgres@127.0.0.1:5432/postgres";
const COLUMNS = Object.keys(RECORD_COLUMNS);

await sqlite();
await postgres();

async function sqlite(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "hookbus-bench-"));
  const inbox = sqliteInbox({ path: join(folder, "contender.db") });
  // The same tables in a file of its own.
  const other = sqliteInbox({ path: join(folder, "floor.db") });
  await other.ping();
  await other.close();
  const database = openSqlite(await sqliteDriver(), join(folder, "floor.db"));
  database.exec("PRAGMA synchronous = FULL");
  const places = COLUMNS.map(() => "?").join(", ");
  const record = database.prepare(`INSERT INTO hookbus_inbox (${COLUMNS.join(", ")}, due_at) VALUES (${places}, ?)`);
  const body = database.prepare("INSERT INTO hookbus_inbox_body (seq, body) VALUES (?, ?)");
  const count = 2_048;
  const contenders: Contender[] = [
    { name: "record", slice: () => sixtyFourWaiting(count, () => inbox.record([aRecord("bench")])) },
    {
      name: "bare insert",
      slice: async () => {
        for (let done = 0; done < count; done += 64) {
          const group = Array.from({ length: 64 }, () => aRecord("bench"));
          database.exec("BEGIN IMMEDIATE");
          for (const each of group) {
            const { lastInsertRowid } = record.run(...valuesOf(each), Date.now()) as unknown as {
              lastInsertRowid: number;
            };
            body.run(lastInsertRowid, each.body);
          }
          database.exec("COMMIT");
          await new Promise((resolve) => setImmediate(resolve));
        }
        return count;
      },
    },
  ];
  const all = await rounds(contenders, ROUNDS);
  console.log(`sqlite: record ${rate(all, "record")}/s, bare insert ${rate(all, "bare insert")}/s`);
  console.log(`sqlite: record / bare insert = ${ratio(all, "record", "bare insert").toFixed(2)} (goal 0.80)`);
  await inbox.close();
  database.close?.();
  await rm(folder, { recursive: true });
}

async function postgres(): Promise<void> {
  const pool = new Pool({ connectionString: URL, max: 10 });
  const schemas = ["bench_contender", "bench_floor", "bench_boss"];
  for (const schema of schemas) await pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  for (const schema of schemas.slice(0, 2)) await pool.query(`CREATE SCHEMA ${schema}`);
  const inbox = postgresInbox({ pool, schema: "bench_contender" });
  await postgresInbox({ pool, schema: "bench_floor" }).ping();
  const boss = new PgBoss({ connectionString: URL, schema: "bench_boss", max: 10 });
  await boss.start();
  await boss.createQueue("bench");
  const floors = [await pool.connect(), await pool.connect()];
  const count = 2_048;
  const bare = async (client: (typeof floors)[number], statements: number, rows: number): Promise<void> => {
    const insert = bareInsert(rows);
    for (let done = 0; done < statements; done += 1) {
      const group = Array.from({ length: rows }, () => aRecord("bench"));
      const values = group.flatMap((each) => [...valuesOf(each), Date.now(), each.body]);
      await client.query({ name: `bare_${rows}`, text: insert, values });
    }
  };
  const contenders: Contender[] = [
    { name: "record", slice: () => sixtyFourWaiting(count, () => inbox.record([aRecord("bench")])) },
    {
      // The same 64 rows under way, on one connection or on two.
      name: "bare insert, 1 × 64",
      slice: async () => {
        await bare(floors[0] as (typeof floors)[number], count / 64, 64);
        return count;
      },
    },
    {
      name: "bare insert, 2 × 32",
      slice: async () => {
        await Promise.all(floors.map((client) => bare(client, count / 64, 32)));
        return count;
      },
    },
    {
      name: "pg-boss",
      slice: () =>
        sixtyFourWaiting(256, () => boss.send("bench", JSON.parse(Buffer.from(aRecord("bench").body).toString()))),
    },
  ];
  const all = await rounds(contenders, ROUNDS);
  console.log(`postgres: record ${rate(all, "record")}/s, pg-boss send ${rate(all, "pg-boss")}/s`);
  for (const floor of ["bare insert, 1 × 64", "bare insert, 2 × 32"]) {
    const to = ratio(all, "record", floor).toFixed(2);
    console.log(`postgres: ${floor} ${rate(all, floor)}/s; record / ${floor} = ${to} (goal 0.70)`);
  }
  console.log(`postgres: record / pg-boss send = ${ratio(all, "record", "pg-boss").toFixed(2)} (goal 5.00)`);
  for (const client of floors) client.release();
  await inbox.close();
  await boss.stop({ graceful: false });
  for (const schema of schemas) await pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  await pool.end();
}

/** The same two tables, filled by one statement without a look at duplicates. */
function bareInsert(rows: number): string {
  const types = [...Object.values(RECORD_COLUMNS), "bigint", "bytea"];
  let place = 0;
  const values = Array.from({ length: rows }, () => `(${types.map((type) => `$${++place}::${type}`).join(", ")})`);
  const columns = [...COLUMNS, "due_at"].join(", ");
  return `WITH given (${columns}, body) AS (VALUES ${values.join(", ")}), made AS (
INSERT INTO bench_floor.hookbus_inbox (${columns}) SELECT ${columns} FROM given RETURNING seq, key)
INSERT INTO bench_floor.hookbus_inbox_body (seq, body) SELECT made.seq, given.body FROM made JOIN given ON given.key = made.key`;
}
