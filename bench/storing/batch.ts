import type { Timed } from "../method/pairs.ts";

/** The cost of events by the batch: milliseconds of one. */
export const EACH = "each";

/** A batch of `count` events as a slice. */
export function batch(name: string, count: number, run: () => Promise<unknown>): Timed {
  return {
    name,
    async slice() {
      const started = performance.now();
      await run();
      return { [EACH]: (performance.now() - started) / count };
    },
  };
}

/** Once, off the clock: connections are made, statements prepared. */
export async function warmed(...all: readonly Timed[]): Promise<void> {
  for (const each of all) for (let time = 0; time < 3; time += 1) await each.slice();
}
