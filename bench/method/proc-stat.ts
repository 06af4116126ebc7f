import { readFileSync } from "node:fs";

/** What `/proc/stat` counts in. */
const TICK_MS = 10;

/** What became of this machine's cores so far, in milliseconds of one. */
export interface CoreTime {
  /** Taken by the hypervisor for another machine. */
  readonly stolen: number;
  /** Spent by whatever runs on this one. */
  readonly busy: number;
}

let readable = true;

/** Nothing, where nobody tells. */
export function coreTime(): CoreTime | undefined {
  if (!readable) return undefined;
  try {
    const [, ...ticks] = readFileSync("/proc/stat", "latin1").split("\n", 1)[0]?.trim().split(/\s+/) ?? [];
    const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = ticks.map(
      (each) => Number(each) * TICK_MS,
    );
    return { stolen: steal, busy: user + nice + system + irq + softirq };
  } catch {
    readable = false;
    return undefined;
  }
}
