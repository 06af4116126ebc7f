import { crc32 } from "node:zlib";
import { LRUCache } from "lru-cache";
import { signed } from "./deliveries/delivery.ts";
import { SIZES, type Size, TEMPLATES } from "./deliveries/events.ts";
import { verifyAndParse } from "./deliveries/floor.ts";
import { Pool } from "./deliveries/pool.ts";
import { CountingBus, receiving } from "./deliveries/receiving.ts";
import { type Bench, type Figure, type Run, share } from "./method/figure.ts";
import { AGAIN, inPairs, type Timed } from "./method/pairs.ts";
import { TIME, timed, type Work } from "./method/slice.ts";

/** What do the parts cost of which a delivery consists, written by hand in the plain way, one more each time? */
export const bench: Bench = {
  seconds: 120,
  async measure(run) {
    const figures: Figure[] = [];
    for (const [place, size] of SIZES.entries()) {
      figures.push(...(await atSize(size, { ...run, until: share(run, 1 / (SIZES.length - place)) })));
    }
    return figures;
  },
};

/** What comes beside the HMAC, the parse and the subscriber. */
type Part = "remembered" | "compared" | "kept alive" | "not too deep";

const PARTS: readonly Part[] = ["remembered", "compared", "kept alive", "not too deep"];

/** As deep as hookbus takes it. */
const MAX_DEPTH = 2_000;

function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) {
    for (const each of value) if (isDeeperThan(each, levels - 1)) return true;
    return false;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  for (const name in fields) {
    const field = fields[name];
    if (typeof field === "object" && field !== null && isDeeperThan(field, levels - 1)) return true;
  }
  return false;
}

async function atSize(size: Size, run: Run): Promise<Figure[]> {
  const pool = new Pool(() => signed(TEMPLATES[size]));
  const floor = await timed({
    name: "floor",
    async: false,
    one: () => verifyAndParse(pool.next()),
  });
  const works = [awaited("awaited", [], pool)];
  for (const [place, part] of PARTS.entries()) works.push(awaited(`and ${part}`, PARTS.slice(0, place + 1), pool));
  works.push(receiving(new CountingBus(`parts-${SIZES.indexOf(size)}`), pool));
  const contenders: Timed[] = [];
  for (const work of works) contenders.push(await timed(work));
  const pairs = await inPairs(floor, contenders, { count: 101, until: run.until, seed: run.seed });
  run.tell(`${size}: the floor takes ${(pairs.floorCost("hookbus", TIME) / 1000).toFixed(1)} µs`);
  return [AGAIN, ...works.map(({ name }) => name)].map((name) => ({
    bench: "parts",
    metric: `${name} / floor, ${size}`,
    value: pairs.ratio(name, TIME),
    unit: "×",
    noise: pairs.noise(TIME),
    pairs: pairs.count(name),
  }));
}

/** The floor, then one async subscriber, with these parts around it. */
function awaited(name: string, parts: readonly Part[], pool: Pool): Work {
  const [remembered, compared, alive, shallow] = PARTS.map((part) => parts.includes(part));
  const known = new LRUCache<string, number>({ max: 100_000, ttl: 7 * 24 * 60 * 60 * 1000, ttlResolution: 0 });
  let handled = 0;
  const subscriber = async (): Promise<void> => {
    handled += 1;
  };
  return {
    name,
    async: true,
    before(calls) {
      pool.renew(calls);
      handled = 0;
    },
    async one() {
      const delivery = pool.next();
      const event = verifyAndParse(delivery) as { readonly id: string };
      if (shallow && isDeeperThan(event, MAX_DEPTH)) throw new Error("the body is nested too deeply");
      const print = compared ? crc32(delivery.body) : 0;
      if (remembered && known.get(event.id) !== undefined) throw new Error("the event has come before");
      const timer = alive ? setTimeout(nothing, 10_000).unref() : undefined;
      await subscriber();
      if (alive) clearTimeout(timer);
      if (remembered) known.set(event.id, print);
    },
    after(calls) {
      if (handled !== calls) throw new Error(`${name} handled ${handled} of ${calls} deliveries`);
    },
  };
}

const nothing = (): void => undefined;
