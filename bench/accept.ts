import { join } from "node:path";
import { RedisServer } from "../tools/soak/redis-server.ts";
import { CPU, LoadGenerator, SECONDS } from "./http/served.ts";
import { type Bench, type Figure, type Run, share } from "./method/figure.ts";
import { AGAIN, inPairs, type Timed } from "./method/pairs.ts";
import { withFolder } from "./storing/folder.ts";
import { withSchemas } from "./storing/postgres.ts";
import { STEADY } from "./storing/steady.ts";

/** How many deliveries a second are answered 200 once they are durable, over 64 connections? */
export const bench: Bench = {
  seconds: 95,
  measure: (run) =>
    withFolder(async (folder) => [
      ...(await sqlite(folder, { ...run, until: share(run, 0.28) })),
      ...(await postgres({ ...run, until: share(run, 0.53) })),
      ...(await redis(folder, run)),
    ]),
};

type Served = (name: string, file: string, ...args: string[]) => Promise<Timed>;

async function sqlite(folder: string, run: Run): Promise<Figure[]> {
  return beside(run, async (served) => ({
    floor: await served("http floor", "floor"),
    again: await served(AGAIN, "floor"),
    contenders: [
      await served("sqlite", "inbox-sqlite", join(folder, "contender.db")),
      await served("bare insert into sqlite", "bare-sqlite", join(folder, "floor.db")),
    ],
  }));
}

async function postgres(run: Run): Promise<Figure[]> {
  const schemas = [
    "bench_accept",
    "bench_accept_bare",
    "bench_accept_boss",
    "bench_accept_boss_2",
    "bench_accept_graphile",
  ];
  const [inbox = "", bare = "", boss = "", bossAgain = "", graphile = ""] = schemas;
  return withSchemas(schemas, () =>
    beside(run, async (served) => ({
      floor: await served("pg-boss send", "pg-boss", boss),
      again: await served(AGAIN, "pg-boss", bossAgain),
      contenders: [
        await served("postgres", "inbox-postgres", inbox),
        await served("bare insert into postgres", "bare-postgres", bare),
        await served("graphile-worker addJob", "graphile-worker", graphile),
        await served("http floor", "floor"),
      ],
    })),
  );
}

async function redis(folder: string, run: Run): Promise<Figure[]> {
  const server = await RedisServer.start(folder, STEADY);
  try {
    return await beside(run, async (served) => ({
      floor: await served("BullMQ add", "bullmq", String(server.port)),
      again: await served(AGAIN, "bullmq", String(server.port)),
      contenders: [
        await served("redis", "inbox-redis", String(server.port)),
        await served("bare insert into redis", "bare-redis", String(server.port)),
        await served("http floor", "floor"),
      ],
    }));
  } finally {
    await server.kill();
  }
}

interface Servers {
  readonly floor: Timed;
  readonly again: Timed;
  readonly contenders: readonly Timed[];
}

/** A floor here is what the goal compares with: the bare server, or the other package behind it. */
async function beside(run: Run, start: (served: Served) => Promise<Servers>): Promise<Figure[]> {
  const load = await LoadGenerator.start(64, 0.1);
  try {
    const { floor, again, contenders } = await start((name, file, ...args) => load.served(name, file, "stripe", args));
    const pairs = await inPairs(floor, contenders, { again, count: 31, until: run.until, seed: run.seed });
    return [AGAIN, ...contenders.map(({ name }) => name)].flatMap((name) => {
      const common = { bench: "accept", pairs: pairs.count(name) } as const;
      const beside = { ...common, unit: "×" } as const;
      const metric = (of: string): string => `${name} / ${floor.name}, ${of}`;
      return [
        { ...beside, metric: metric("200s/s"), value: 1 / pairs.ratio(name, SECONDS), noise: pairs.noise(SECONDS) },
        { ...beside, metric: metric("CPU"), value: pairs.ratio(name, CPU), noise: pairs.noise(CPU) },
        { ...common, unit: "/s", metric: `${name} beside ${floor.name}: 200s/s`, value: 1 / pairs.cost(name, SECONDS) },
      ];
    });
  } finally {
    load.stop();
  }
}
