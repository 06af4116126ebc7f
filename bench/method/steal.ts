import { readFileSync } from "node:fs";

/** A slice in which more than this part of a core went to another machine says nothing. */
const TOO_MUCH = 0.06;

/** What `/proc/stat` counts in. */
const TICK_MS = 10;

let readable = true;

/** What the hypervisor took from this machine so far, in milliseconds of a core; 0 where nobody tells. */
function stolenMs(): number {
  if (!readable) return 0;
  try {
    const [, ...ticks] = readFileSync("/proc/stat", "latin1").split("\n", 1)[0]?.trim().split(/\s+/) ?? [];
    return Number(ticks[7] ?? 0) * TICK_MS;
  } catch {
    readable = false;
    return 0;
  }
}

/** Starts to watch; the answer says whether too much was stolen since, to be asked before a result is looked at. */
export function watchSteal(): () => boolean {
  const stolen = stolenMs();
  const started = performance.now();
  return () => (stolenMs() - stolen) / (performance.now() - started) > TOO_MUCH;
}
