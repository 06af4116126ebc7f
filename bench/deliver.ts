import { postgresInbox } from "../dist/inbox/postgres.js";
import { redisInbox } from "../dist/inbox/redis.js";
import { RedisServer } from "../tools/soak/redis-server.ts";
import { bullmqBacklog, graphileBacklog, inboxBacklog } from "./delivering/backlog.ts";
import { Crew, MACHINE, WORKERS } from "./delivering/crew.ts";
import { type Bench, type Figure, type Run, share } from "./method/figure.ts";
import { AGAIN, inPairs } from "./method/pairs.ts";
import { EACH } from "./storing/batch.ts";
import { withFolder } from "./storing/folder.ts";
import { withSchemas } from "./storing/postgres.ts";
import { STEADY } from "./storing/steady.ts";

/** How many recorded events a second are delivered, by 1, 2 and 4 worker processes? */
export const bench: Bench = {
  seconds: 60,
  measure: async (run) => [
    ...(await withFolder((folder) => redis(folder, { ...run, until: share(run, 0.7) }))),
    ...(await postgres(run)),
  ],
};

async function redis(folder: string, run: Run): Promise<Figure[]> {
  const server = await RedisServer.start(folder, STEADY);
  const target = String(server.port);
  const inbox = redisInbox({ connection: { host: "127.0.0.1", port: server.port } });
  const hookbus = await Crew.start("redis", target, inboxBacklog(inbox), 4, 2_000);
  const rival = await Crew.start("bullmq", target, bullmqBacklog(server.port), 1, 2_000);
  try {
    return await beside("redis", "bare BullMQ", hookbus, rival, run);
  } finally {
    await hookbus.stop();
    await rival.stop();
    await server.kill();
  }
}

async function postgres(run: Run): Promise<Figure[]> {
  const [schema, jobs] = ["bench_deliver", "bench_deliver_jobs"];
  return withSchemas([schema, jobs], async (pool) => {
    const hookbus = await Crew.start("postgres", schema, inboxBacklog(postgresInbox({ pool, schema })), 4, 1_000);
    const rival = await Crew.start("graphile-worker", jobs, await graphileBacklog(pool, jobs), 1, 1_000);
    try {
      return await beside("postgres", "bare graphile-worker", hookbus, rival, run);
    } finally {
      await hookbus.stop();
      await rival.stop();
    }
  });
}

/** One process of hookbus's is the floor of this: beside it stand more of them, and the bare engine with an empty task. */
async function beside(engine: string, rivalName: string, hookbus: Crew, rival: Crew, run: Run): Promise<Figure[]> {
  const floor = hookbus.working("1 process", 1);
  const contenders = [
    hookbus.working("2 processes", 2),
    hookbus.working("4 processes", 4),
    rival.working(rivalName, 1),
  ];
  for (const each of [floor, ...contenders]) await each.slice();
  const pairs = await inPairs(floor, contenders, { count: 31, until: run.until, seed: run.seed });
  const figure = (metric: string, value: number, name: string): Figure => ({
    bench: "deliver",
    metric: `${metric}, events/s`,
    value,
    unit: "×",
    noise: pairs.noise(EACH),
    pairs: pairs.count(name),
  });
  /** What tells where the limit is: the rate, and who keeps the cores busy. */
  const limits = (called: string, name: string): Figure[] => {
    const common = { bench: "deliver", pairs: pairs.count(name) } as const;
    return [
      { ...common, metric: `${called}: events/s`, value: 1000 / pairs.cost(name, EACH), unit: "/s" },
      { ...common, metric: `${called}: busy with workers`, value: pairs.cost(name, WORKERS), unit: "cores" },
      { ...common, metric: `${called}: busy with anything`, value: pairs.cost(name, MACHINE), unit: "cores" },
    ];
  };
  const faster = (name: string): number => 1 / pairs.ratio(name, EACH);
  return [
    figure(`${engine}: floor again / 1 process`, faster(AGAIN), AGAIN),
    figure(`${engine} / ${rivalName}, 1 process`, pairs.ratio(rivalName, EACH), rivalName),
    figure(`${engine}, 2 processes / 1`, faster("2 processes"), "2 processes"),
    figure(`${engine}, 4 processes / 1`, faster("4 processes"), "4 processes"),
    ...limits(`${engine}, 1 process`, AGAIN),
    ...contenders.flatMap(({ name }) => limits(name === rivalName ? rivalName : `${engine}, ${name}`, name)),
  ];
}
