import { CPU, LoadGenerator, P99, SECONDS } from "./http/served.ts";
import type { Bench, Figure } from "./method/figure.ts";
import { AGAIN, inPairs, type Pairs, type Timed } from "./method/pairs.ts";

const NODE = "hookbus/node";
const EXPRESS = "hookbus/express";
const FLOOR_IN_EXPRESS = "floor in express";
const EXPRESS_STRIPE = "express + stripe";
const RIVALS = [
  ["octokit middleware", "octokit", "github"],
  ["hono + stripe", "hono-stripe", "stripe"],
  ["fastify + stripe", "fastify-stripe", "stripe"],
  [EXPRESS_STRIPE, "express-stripe", "stripe"],
  ["http + standardwebhooks", "http-standard", "standard"],
  ["express + tern", "express-tern", "stripe"],
] as const;

/** How many signed deliveries of 3 KB does a server take, over 50 connections, and what does each cost it? */
export const bench: Bench = {
  seconds: 140,
  async measure({ until, seed, tell }) {
    const load = await LoadGenerator.start(50, 0.2);
    try {
      const floor = await load.served("floor", "floor");
      const again = await load.served(AGAIN, "floor");
      const contenders: Timed[] = [
        await load.served(NODE, "hookbus-node"),
        await load.served(EXPRESS, "hookbus-express"),
        await load.served(FLOOR_IN_EXPRESS, "floor-express"),
      ];
      for (const [name, file, scheme] of RIVALS) contenders.push(await load.served(name, file, scheme));
      const pairs = await inPairs(floor, contenders, { again, count: 31, until, seed });
      const [seconds, cpu] = [pairs.floorCost(NODE, SECONDS), pairs.floorCost(NODE, CPU)];
      tell(`the floor answers ${(1 / seconds).toFixed(0)}/s and spends ${cpu.toFixed(0)} µs on each`);
      return [...eachOf(pairs, [AGAIN, ...contenders.map(({ name }) => name)]), ...goals(pairs)];
    } finally {
      load.stop();
    }
  },
};

/** The rates are inverse to the time that a request takes. */
function eachOf(pairs: Pairs, names: readonly string[]): Figure[] {
  return names.flatMap((name) => [
    figure(`${name} / floor, requests/s as measured`, 1 / pairs.ratio(name, SECONDS), pairs, SECONDS, name),
    figure(`${name} / floor, p99`, pairs.ratio(name, P99), pairs, P99, name),
    cores(`${name}: server busy`, pairs, name),
    ...(name === NODE ? [] : [figure(`${name} / floor, CPU`, pairs.ratio(name, CPU), pairs, CPU, name)]),
  ]);
}

/** A server that is busy with less than its core waits for the load. */
function cores(metric: string, pairs: Pairs, name: string): Figure {
  const value = pairs.cost(name, CPU) / (pairs.cost(name, SECONDS) * 1e6);
  return { bench: "http", metric, value, unit: "cores", pairs: pairs.count(name) };
}

function goals(pairs: Pairs): Figure[] {
  return [
    // The floor's own code in another process is not as fast as the floor: contenders are no worse for that.
    figure(`${NODE} / floor, requests/s`, pairs.ratio(AGAIN, SECONDS) / pairs.ratio(NODE, SECONDS), pairs, SECONDS),
    figure(`${NODE} / floor, CPU`, pairs.ratio(NODE, CPU), pairs, CPU),
    ...RIVALS.map(([name]) =>
      figure(`${NODE} / ${name}, requests/s`, pairs.against(name, NODE, SECONDS), pairs, SECONDS),
    ),
    figure(
      `${EXPRESS} / ${EXPRESS_STRIPE}, requests/s`,
      pairs.against(EXPRESS_STRIPE, EXPRESS, SECONDS),
      pairs,
      SECONDS,
    ),
    figure(`${EXPRESS} / ${FLOOR_IN_EXPRESS}, CPU`, pairs.against(EXPRESS, FLOOR_IN_EXPRESS, CPU), pairs, CPU),
  ];
}

function figure(metric: string, value: number, pairs: Pairs, cost: string, name: string = NODE): Figure {
  const noise = pairs.noise(cost);
  return { bench: "http", metric, value, unit: "×", noise, pairs: pairs.count(name) };
}
