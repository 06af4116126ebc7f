import type { Figure, Run } from "../method/figure.ts";
import { AGAIN, inPairs, type Timed } from "../method/pairs.ts";

const SERIES_MS = 60_000;

/** What an event costs where there is much of something, beside what it costs where there is little. */
export async function series(
  run: Run,
  what: string,
  sizes: readonly number[],
  cost: string,
  make: (size: number) => Promise<Timed>,
): Promise<Figure[]> {
  const [few, ...many] = sizes as [number, ...number[]];
  const floor = await make(few);
  const contenders: Timed[] = [];
  for (const size of many) contenders.push(await make(size));
  return sized(run, what, few, floor, contenders, [cost]);
}

/** The same for several costs of one slice. The names of the contenders are their sizes. */
export async function sized(
  run: Run,
  what: string,
  few: number,
  floor: Timed,
  contenders: readonly Timed[],
  costs: readonly string[],
  count = 101,
): Promise<Figure[]> {
  // Making so much of something takes longer than measuring it: the time is counted from here.
  const until = performance.now() + SERIES_MS;
  const pairs = await inPairs(floor, contenders, { count, until, seed: run.seed });
  run.tell(`${what} are measured`);
  return costs.flatMap((cost) =>
    [AGAIN, ...contenders.map(({ name }) => name)].map(
      (name): Figure => ({
        bench: "growth",
        metric: `${what}: ${name} / ${called(few)}${costs.length > 1 ? `, ${cost}` : ""}`,
        value: pairs.ratio(name, cost),
        unit: "×",
        noise: pairs.noise(cost),
        pairs: pairs.count(name),
      }),
    ),
  );
}

export function called(size: number): string {
  return size.toLocaleString("en");
}
