import { join } from "node:path";
import type { Inbox } from "../dist/inbox/inbox.js";
import { postgresInbox } from "../dist/inbox/postgres.js";
import { sqliteInbox } from "../dist/inbox/sqlite.js";
import { fillPostgres, fillSqlite } from "./growing/fill.ts";
import { providers, rememberedKeys, secrets, subscribers } from "./growing/in-process.ts";
import { DELIVER, pendingIn, RECORD } from "./growing/pending.ts";
import { series, sized } from "./growing/series.ts";
import type { Bench, Figure, Run } from "./method/figure.ts";
import type { Timed } from "./method/pairs.ts";
import { TIME } from "./method/slice.ts";
import { withFolder } from "./storing/folder.ts";
import { withSchemas } from "./storing/postgres.ts";

const SIZES = [1_000, 10_000, 100_000, 1_000_000];

/** How does the cost of an event grow with what there is of everything? */
export const bench: Bench = {
  seconds: 1_200,
  async measure(run) {
    return [
      // Which secret signed cannot be known before they are tried: this grows with their number, whatever is done.
      ...(await series(run, "secrets", [1, 2, 5, 10], TIME, secrets)),
      ...(await series(run, "remembered keys", SIZES, TIME, rememberedKeys)),
      ...(await series(run, "providers", [10, 100, 1_000, 10_000], TIME, providers)),
      ...(await series(run, "subscribers", SIZES, TIME, subscribers)),
      ...(await sqlite(run)),
      ...(await postgres(run)),
    ];
  },
};

function sqlite(run: Run): Promise<Figure[]> {
  return withFolder(async (folder) => {
    const inboxes = new Map<number, Inbox>();
    for (const size of SIZES) {
      const path = join(folder, `${size}.db`);
      const inbox = sqliteInbox({ path });
      await inbox.ping();
      await fillSqlite(path, size);
      inboxes.set(size, inbox);
    }
    return pending("sqlite", inboxes, run);
  });
}

function postgres(run: Run): Promise<Figure[]> {
  const schemas = new Map(SIZES.map((size) => [size, `bench_growth_${size}`]));
  return withSchemas([...schemas.values()], async (pool) => {
    const inboxes = new Map<number, Inbox>();
    for (const [size, schema] of schemas) {
      const inbox = postgresInbox({ pool, schema });
      await inbox.ping();
      await fillPostgres(pool, schema, size);
      inboxes.set(size, inbox);
    }
    return pending("postgres", inboxes, run);
  });
}

async function pending(engine: string, inboxes: ReadonlyMap<number, Inbox>, run: Run): Promise<Figure[]> {
  const [floor, ...contenders] = [...inboxes].map(([size, inbox]) => pendingIn(inbox, size)) as [Timed, ...Timed[]];
  for (const each of [floor, ...contenders]) for (let time = 0; time < 3; time += 1) await each.slice();
  const figures = await sized(
    run,
    `pending in ${engine}`,
    SIZES[0] as number,
    floor,
    contenders,
    [RECORD, DELIVER],
    31,
  );
  for (const inbox of inboxes.values()) await inbox.close();
  return figures;
}
