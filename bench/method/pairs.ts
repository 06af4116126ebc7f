import { median, medianRange } from "./median.ts";
import { shuffler } from "./shuffle.ts";
import { watchSteal } from "./steal.ts";

/** What a slice came to: costs by name, the lower the better. */
export type Sample = Readonly<Record<string, number>>;

/** Something whose cost is measured by the slice. */
export interface Timed {
  readonly name: string;
  slice(): Promise<Sample>;
}

export interface PairsOptions {
  /** What the floor is called against itself; a second process of its code, where it runs in one. */
  readonly again?: Timed;
  /** How many pairs each contender is to have. */
  readonly count: number;
  /** When to stop though pairs are missing, on the clock of `performance.now`. */
  readonly until: number;
  readonly seed: number;
}

/** What the floor is called where it is measured against itself. */
export const AGAIN = "floor again";

/**
 * Measures every contender beside the floor, in an order that changes, until each has its pairs. One slice of the floor
 * stands between two contenders and is the other half of both pairs.
 */
export async function inPairs(floor: Timed, contenders: readonly Timed[], options: PairsOptions): Promise<Pairs> {
  const again: Timed = { name: AGAIN, slice: () => (options.again ?? floor).slice() };
  const pairs = new Pairs();
  const shuffle = shuffler(options.seed);
  const all = [again, ...contenders];
  for (;;) {
    const missing = all.filter(({ name }) => pairs.count(name) < options.count);
    if (missing.length === 0) return pairs;
    const order = shuffle(missing);
    for (let place = 0; place < order.length; place += 2) {
      if (performance.now() > options.until) return pairs;
      await between(floor, order[place] as Timed, order[place + 1], pairs);
    }
  }
}

async function between(floor: Timed, before: Timed, after: Timed | undefined, pairs: Pairs): Promise<void> {
  const one = await unstolen(before);
  const base = await unstolen(floor);
  const other = after && (await unstolen(after));
  if (!base) return;
  if (one) pairs.add(before.name, one, base);
  if (other) pairs.add((after as Timed).name, other, base);
}

/** The slice's sample, unless too much of it was stolen: that is decided before anybody looks at it. */
async function unstolen(timed: Timed): Promise<Sample | undefined> {
  const stolen = watchSteal();
  const sample = await timed.slice();
  return stolen() ? undefined : sample;
}

/** The pairs of a series, and what they say. */
export class Pairs {
  readonly #pairs = new Map<string, { readonly sample: Sample; readonly floor: Sample }[]>();

  add(name: string, sample: Sample, floor: Sample): void {
    const known = this.#pairs.get(name);
    if (known) known.push({ sample, floor });
    else this.#pairs.set(name, [{ sample, floor }]);
  }

  count(name: string): number {
    return this.#pairs.get(name)?.length ?? 0;
  }

  /** How many times the floor's cost, by the median of the pairs. */
  ratio(name: string, cost: string): number {
    return median(this.#ratios(name, cost));
  }

  /** How many times another contender's cost: both were measured beside the same floor. */
  against(name: string, other: string, cost: string): number {
    return this.ratio(name, cost) / this.ratio(other, cost);
  }

  /** How far the floor's ratio to itself may be from 1: the farther end of what its median can be. */
  noise(cost: string): number {
    const [low, high] = medianRange(this.#ratios(AGAIN, cost));
    return Math.max(Math.abs(1 - low), Math.abs(high - 1));
  }

  /** The median of the costs themselves. */
  cost(name: string, cost: string): number {
    return median(this.#of(name).map(({ sample }) => sample[cost] as number));
  }

  /** The median of what the floor itself cost beside it. */
  floorCost(name: string, cost: string): number {
    return median(this.#of(name).map(({ floor }) => floor[cost] as number));
  }

  /** The median of the differences to the floor's cost. */
  difference(name: string, cost: string): number {
    return median(this.#differences(name, cost));
  }

  /** How far the floor's difference to itself may be from 0. */
  noiseOfDifference(cost: string): number {
    const [low, high] = medianRange(this.#differences(AGAIN, cost));
    return Math.max(Math.abs(low), Math.abs(high));
  }

  #differences(name: string, cost: string): number[] {
    return this.#of(name).map(({ sample, floor }) => (sample[cost] as number) - (floor[cost] as number));
  }

  #ratios(name: string, cost: string): number[] {
    return this.#of(name).map(({ sample, floor }) => (sample[cost] as number) / (floor[cost] as number));
  }

  #of(name: string): readonly { readonly sample: Sample; readonly floor: Sample }[] {
    return this.#pairs.get(name) ?? [];
  }
}
