import { SECRET, signed } from "./deliveries/delivery.ts";
import { SIZES, type Size, TEMPLATES } from "./deliveries/events.ts";
import { verifyAndParse } from "./deliveries/floor.ts";
import { Pool } from "./deliveries/pool.ts";
import { assertReceives, CountingBus, receiving } from "./deliveries/receiving.ts";
import { type Bench, type Figure, type Run, share } from "./method/figure.ts";
import { AGAIN, inPairs } from "./method/pairs.ts";
import { TIME, timed } from "./method/slice.ts";
import { rivals } from "./rivals/all.ts";
import { assertVerifies, sink, taking } from "./rivals/rival.ts";

/** What does a delivery cost, from its bytes to its subscriber? */
export const bench: Bench = {
  seconds: 62,
  async measure(run) {
    const figures: Figure[] = [];
    for (const [place, size] of SIZES.entries()) {
      figures.push(...(await atSize(size, { ...run, until: share(run, 1 / (SIZES.length - place)) })));
    }
    return figures;
  },
};

async function atSize(size: Size, run: Run): Promise<Figure[]> {
  const make = () => signed(TEMPLATES[size]);
  const forged = () => signed(TEMPLATES[size], { secret: "whsec_another" });
  const pool = new Pool(make);
  const hookbus = new CountingBus(`verify-${SIZES.indexOf(size)}`);
  await assertReceives(hookbus, make(), forged());
  const others = rivals([SECRET]);
  for (const rival of others) await assertVerifies(rival, make(), forged());
  const floor = await timed({
    name: "floor",
    async: false,
    one() {
      sink.last = verifyAndParse(pool.next());
    },
  });
  const contenders = [await timed(receiving(hookbus, pool))];
  for (const rival of others) contenders.push(await timed(taking(rival, pool)));
  const pairs = await inPairs(floor, contenders, { count: 101, until: run.until, seed: run.seed });

  const noise = pairs.noise(TIME);
  const common = { bench: "verify", unit: "×", noise } as const;
  const beside = [AGAIN, "hookbus", ...others.map(({ name }) => name)].map(
    (name): Figure => ({
      ...common,
      metric: `${name} / floor, ${size}`,
      value: pairs.ratio(name, TIME),
      pairs: pairs.count(name),
    }),
  );
  const against = others.map(
    ({ name }): Figure => ({
      ...common,
      metric: `hookbus / ${name}, ${size}`,
      value: pairs.against("hookbus", name, TIME),
      pairs: pairs.count(name),
    }),
  );
  run.tell(`${size}: the floor takes ${(pairs.floorCost("hookbus", TIME) / 1000).toFixed(1)} µs`);
  return [...beside, ...against];
}
