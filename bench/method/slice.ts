import { Bench } from "tinybench";
import type { Timed } from "./pairs.ts";

/** A pair is about 20 ms: short enough for both halves to meet the same weather. */
const SLICE_MS = 10;

/** How long a contender runs before it counts, so that it is compiled. */
const WARM_MS = 250;

/** Work in this process. */
export interface Work {
  readonly name: string;
  /** Whether `one` returns a promise to wait for. */
  readonly async: boolean;
  /** Does the work, once or `each` times. */
  one(): unknown;
  /** How often one call does it: work of nanoseconds cannot be timed alone. */
  readonly each?: number;
  /** Off the clock, before so many calls. */
  before?(calls: number): void;
  /** Off the clock, after them: throws unless the work was done. */
  after?(calls: number): void;
}

/** The cost of all in-process work: nanoseconds of one. */
export const TIME = "time";

/** Warms the work up, finds out how many calls a slice takes, and gives it as something to pair. */
export async function timed(work: Work): Promise<Timed> {
  let calls = 1;
  let took = await run(work, calls);
  for (const end = performance.now() + WARM_MS; performance.now() < end; ) {
    // Never more than four times as many at once: what is not compiled yet is no measure.
    calls = Math.max(1, Math.round(calls * Math.min(4, SLICE_MS / took)));
    took = await run(work, calls);
  }
  calls = Math.max(1, Math.round((calls * SLICE_MS) / took));
  return {
    name: work.name,
    async slice() {
      const ms = await run(work, calls);
      return { [TIME]: (ms * 1e6) / (calls * (work.each ?? 1)) };
    },
  };
}

/** What so many calls took, in milliseconds. */
async function run(work: Work, calls: number): Promise<number> {
  work.before?.(calls);
  // What was made ready left garbage, which is not to be cleared away on the contender's time.
  gc?.({ type: "minor" });
  const bench = new Bench({ iterations: calls, time: 0, warmup: false, throws: true });
  bench.add(work.name, () => work.one(), { async: work.async });
  const [task] = work.async ? await bench.run() : bench.runSync();
  const result = task?.result;
  if (!result || !("latency" in result)) throw new Error(`${work.name} was not measured: ${result?.state}`);
  if (result.latency.samplesCount !== calls) throw new Error(`${work.name} ran ${result.latency.samplesCount} times`);
  work.after?.(calls);
  return result.latency.mean * calls;
}
