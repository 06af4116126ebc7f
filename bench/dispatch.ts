import { Crowd, ONE_TYPE, TRAFFICS, type Traffic } from "./dispatching/hookbus.ts";
import { direct, emittery, eventemitter3, octokit } from "./dispatching/rivals.ts";
import { type Bench, type Figure, type Run, share } from "./method/figure.ts";
import { AGAIN, inPairs, type Timed } from "./method/pairs.ts";
import { TIME, timed } from "./method/slice.ts";

const SMALL = 10;
const SIZES = [SMALL, 1_000, 100_000];

/** What does it cost to reach five subscribers among many? */
export const bench: Bench = {
  seconds: 40,
  async measure(run) {
    const figures: Figure[] = [];
    const crowds = new Map(SIZES.map((size) => [size, new Crowd(size)]));
    const series = TRAFFICS.length + SIZES.length;
    let left = series;
    const part = (): Run => ({ ...run, until: share(run, 1 / left--) });
    for (const traffic of TRAFFICS) figures.push(...(await flatness(crowds, traffic, part())));
    for (const [size, crowd] of crowds) figures.push(...(await besideRivals(crowd, size, part())));
    return figures;
  },
};

/** The cost among many beside the cost among few. */
async function flatness(crowds: ReadonlyMap<number, Crowd>, traffic: Traffic, run: Run): Promise<Figure[]> {
  const [few, ...many] = [...crowds].map(([size, crowd]) => crowd.publishing(called(size), traffic));
  const floor = await timed(few as NonNullable<typeof few>);
  const contenders: Timed[] = [];
  for (const work of many) contenders.push(await timed(work));
  const pairs = await inPairs(floor, contenders, { count: 101, until: run.until, seed: run.seed });
  run.tell(`${traffic.name}: ${pairs.floorCost(AGAIN, TIME).toFixed(0)} ns an event with ${called(SMALL)}`);
  return [AGAIN, ...contenders.map(({ name }) => name)].map((name) => ({
    bench: "dispatch",
    metric: `${name} / ${called(SMALL)}, ${traffic.name}`,
    value: pairs.ratio(name, TIME),
    unit: "×",
    noise: pairs.noise(TIME),
    pairs: pairs.count(name),
  }));
}

/** The cost beside five direct calls, and beside what other packages take. */
async function besideRivals(crowd: Crowd, size: number, run: Run): Promise<Figure[]> {
  const floor = await timed(direct());
  const rivals = [octokit(size), eventemitter3(size), emittery(size)];
  const contenders: Timed[] = [];
  for (const work of [crowd.publishing("hookbus", ONE_TYPE), ...rivals]) contenders.push(await timed(work));
  const pairs = await inPairs(floor, contenders, { count: 101, until: run.until, seed: run.seed });
  const noise = pairs.noise(TIME);
  const common = { bench: "dispatch", unit: "×", noise } as const;
  run.tell(`${called(size)}: ${pairs.floorCost(AGAIN, TIME).toFixed(0)} ns for five direct calls`);
  return [
    ...[AGAIN, ...contenders.map(({ name }) => name)].map(
      (name): Figure => ({
        ...common,
        metric: `${name} / floor, ${called(size)}`,
        value: pairs.ratio(name, TIME),
        pairs: pairs.count(name),
      }),
    ),
    ...rivals.map(
      ({ name }): Figure => ({
        ...common,
        metric: `hookbus / ${name}, ${called(size)}`,
        value: pairs.against("hookbus", name, TIME),
        pairs: pairs.count(name),
      }),
    ),
  ];
}

function called(size: number): string {
  return `N = ${size.toLocaleString("en")}`;
}
