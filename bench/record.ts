import { join } from "node:path";
import type { PoolClient } from "pg";
import PgBoss from "pg-boss";
import { postgresInbox } from "../dist/inbox/postgres.js";
import { sqliteInbox } from "../dist/inbox/sqlite.js";
import { type Bench, type Figure, type Run, share } from "./method/figure.ts";
import { AGAIN, inPairs, type Pairs } from "./method/pairs.ts";
import { bareInsert } from "./storing/bare-postgres.ts";
import { bareSqlite } from "./storing/bare-sqlite.ts";
import { batch, EACH, warmed } from "./storing/batch.ts";
import { withFolder } from "./storing/folder.ts";
import { POSTGRES_URL, withSchemas } from "./storing/postgres.ts";
import { aRecord, records, sixtyFourWaiting } from "./storing/rows.ts";

const COUNT = 1_024;
const SENDS = 128;
const GROUP = 64;

/** How many events a second does `record` make durable, 64 waiting? */
export const bench: Bench = {
  seconds: 26,
  measure: async (run) => [
    ...(await withFolder((folder) => sqlite(folder, { ...run, until: share(run, 0.3) }))),
    ...(await postgres(run)),
  ],
};

async function sqlite(folder: string, run: Run): Promise<Figure[]> {
  const inbox = sqliteInbox({ path: join(folder, "contender.db") });
  const database = await bareSqlite(join(folder, "floor.db"));
  const floor = batch("bare insert", COUNT, async () => {
    for (let done = 0; done < COUNT; done += GROUP) {
      database.insert(records("bench", GROUP));
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  const record = batch("record", COUNT, () => sixtyFourWaiting(COUNT, () => inbox.record([aRecord("bench")])));
  await warmed(floor, record);
  const pairs = await inPairs(floor, [record], { count: 31, until: run.until, seed: run.seed });
  await inbox.close();
  database.close();
  return [
    figure("sqlite: floor again / bare insert, events/s", 1 / pairs.ratio(AGAIN, EACH), pairs),
    figure("sqlite / bare insert, events/s", 1 / pairs.ratio("record", EACH), pairs),
    perSecond("sqlite: events/s", pairs, "record"),
  ];
}

async function postgres(run: Run): Promise<Figure[]> {
  const schemas = { contender: "bench_contender", floor: "bench_floor", boss: "bench_boss" };
  return withSchemas(Object.values(schemas), async (pool) => {
    const inbox = postgresInbox({ pool, schema: schemas.contender });
    await postgresInbox({ pool, schema: schemas.floor }).ping();
    const boss = new PgBoss({ connectionString: POSTGRES_URL, schema: schemas.boss, max: 10 });
    boss.on("error", () => undefined);
    await boss.start();
    await boss.createQueue("bench");
    const clients = [await pool.connect(), await pool.connect()] as const;
    const bare = async (client: PoolClient, rows: number): Promise<void> => {
      for (let done = 0; done < COUNT / GROUP; done += 1)
        await bareInsert(client, schemas.floor, records("bench", rows));
    };
    const floor = batch("bare insert, 1 × 64", COUNT, () => bare(clients[0], GROUP));
    const contenders = [
      batch("record", COUNT, () => sixtyFourWaiting(COUNT, () => inbox.record([aRecord("bench")]))),
      // As many rows under way, on two connections.
      batch("bare insert, 2 × 32", COUNT, () => Promise.all(clients.map((client) => bare(client, GROUP / 2)))),
      batch("pg-boss send", SENDS, () => sixtyFourWaiting(SENDS, () => boss.send("bench", sendable()))),
    ];
    await warmed(floor, ...contenders);
    const pairs = await inPairs(floor, contenders, { count: 31, until: run.until, seed: run.seed });
    for (const client of clients) client.release();
    await inbox.close();
    await boss.stop({ graceful: false });
    return [
      figure("postgres: floor again / bare insert, 1 × 64, events/s", 1 / pairs.ratio(AGAIN, EACH), pairs),
      figure("postgres / bare insert, 1 × 64, events/s", 1 / pairs.ratio("record", EACH), pairs),
      figure("postgres / bare insert, 2 × 32, events/s", pairs.against("bare insert, 2 × 32", "record", EACH), pairs),
      figure("postgres / pg-boss send, events/s", pairs.against("pg-boss send", "record", EACH), pairs),
      perSecond("postgres: events/s", pairs, "record"),
      perSecond("pg-boss send: events/s", pairs, "pg-boss send"),
    ];
  });
}

/** pg-boss keeps objects. */
function sendable(): object {
  return JSON.parse(Buffer.from(aRecord("bench").body).toString());
}

function perSecond(metric: string, pairs: Pairs, name: string): Figure {
  return { bench: "record", metric, value: 1000 / pairs.cost(name, EACH), unit: "/s", pairs: pairs.count(name) };
}

function figure(metric: string, value: number, pairs: Pairs): Figure {
  return { bench: "record", metric, value, unit: "×", noise: pairs.noise(EACH), pairs: pairs.count("record") };
}
