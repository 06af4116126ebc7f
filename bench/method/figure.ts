/** One result: what goals are compared with, and what tables show. */
export interface Figure {
  readonly bench: string;
  readonly metric: string;
  readonly value: number;
  readonly unit: "×" | "ms" | "B" | "/s" | "cores";
  /** By how much the floor differed from itself in the same run, in `unit`; absent where nothing was paired. */
  readonly noise?: number | undefined;
  /** How many pairs the median is of. */
  readonly pairs?: number | undefined;
}

/** What a bench file exports as `bench`. */
export interface Bench {
  /** How long it may take, in seconds: a bench that runs out of it makes do with the pairs it has. */
  readonly seconds: number;
  measure(run: Run): Promise<readonly Figure[]>;
}

export interface Run {
  /** The time by which it has to end, on the clock of `performance.now`. */
  readonly until: number;
  readonly seed: number;
  /** Tells whoever waits, on the standard error. */
  tell(line: string): void;
}

/** The time at which `part` of what is left of the run is over: several series share a bench's time. */
export function share(run: Run, part: number): number {
  const now = performance.now();
  return now + (run.until - now) * part;
}
