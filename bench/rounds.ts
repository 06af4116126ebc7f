/** One thing that is measured: does `work` and says how many events that was. */
export interface Contender {
  readonly name: string;
  slice(): Promise<number>;
  /** What has to be made ready for the next slice, off the clock. */
  after?(): Promise<void>;
}

/** Events a second of each contender in one round. */
type Round = ReadonlyMap<string, number>;

/**
 * Runs every contender once a round, in an order that changes, so that what else the machine does meets all of them
 * alike. Rates are comparable within a round; of several rounds, compare ratios.
 */
export async function rounds(contenders: readonly Contender[], count: number): Promise<readonly Round[]> {
  for (const { slice, after } of contenders) {
    await slice(); // warm
    await after?.();
  }
  const all: Round[] = [];
  for (let round = 0; round < count; round += 1) {
    const order = contenders.map((_, place) => contenders[(place + round) % contenders.length] as Contender);
    const rates = new Map<string, number>();
    for (const { name, slice, after } of round % 2 ? order.toReversed() : order) {
      const started = performance.now();
      const events = await slice();
      rates.set(name, events / ((performance.now() - started) / 1000));
      await after?.();
    }
    all.push(rates);
  }
  return all;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** The median of the rounds' ratios of one contender to another. */
export function ratio(all: readonly Round[], name: string, to: string): number {
  return median(all.map((round) => (round.get(name) as number) / (round.get(to) as number)));
}

export function rate(all: readonly Round[], name: string): number {
  return Math.round(median(all.map((round) => round.get(name) as number)));
}
