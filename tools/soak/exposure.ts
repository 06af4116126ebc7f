import { LEASE_MS } from "./plan.ts";
import type { Run, Runs } from "./runs.ts";

/*
 * Which runs may honestly happen once more.
 *
 * An inbox promises "at least once": a subscriber whose mark "done" was not yet written when its process was killed, or
 * lost its lease, runs again. Everything else must run once. So every kill and every freeze puts the runs of its process
 * at risk that were in progress just then, and those alone. In progress is a run from its start row
 *
 * - to its end row, and for `MARK_PULSES` after it: the mark is written behind the subscriber's back, in a commit that
 *   others share, and the subscriber writes its end row before that;
 * - where the process was frozen, also one that begins within `NOTICE_PULSES` of its thaw: the worker goes on with an
 *   event until its next heartbeat tells it that another one has it by now.
 *
 * Time is counted in pulses, which every worker gives in its own event loop, ten a second. On a machine that is busy, and
 * while a database makes everybody wait, a worker gets less done in a second and gives fewer pulses. Where it gives so few
 * that it may have lost a lease by that alone, it counts as frozen: the machine has done what a blow would have done.
 *
 * All of this comes from the parent's list of blows and from what workers write by themselves. The inbox is not asked.
 */

/** What befell a process, or all of them where the server was killed. */
export interface Struck {
  readonly process: string | undefined;
  readonly from: number;
  /** Infinity where the process did not go on. */
  readonly to: number;
}

export const PULSE_MS = 100;
export const MARK_PULSES = 5;

/** A heartbeat comes three times a lease, and is answered soon. */
export const NOTICE_PULSES = Math.ceil(LEASE_MS / 3 / PULSE_MS) + 5;

/** A worker that takes so long for so many pulses may be late for its heartbeats. */
const SLOW = { pulses: 5, ms: LEASE_MS * 0.6 };

export interface Exposed {
  /** The runs that were in progress at the kills and freezes. */
  readonly byBlows: readonly Run[];
  /** Those that were in progress while the machine held their process up, and at no blow. */
  readonly bySlowness: readonly Run[];
}

export function exposed(runs: Runs, struck: readonly Struck[]): Exposed {
  const byBlows: Run[] = [];
  const bySlowness: Run[] = [];
  const slow = new Map([...runs.pulses].map(([process, pulses]) => [process, slowness(process, pulses)]));
  for (const run of runs.all) {
    const pulses = runs.pulses.get(run.process) ?? [];
    const blows = struck.filter(({ process }) => process === undefined || process === run.process);
    if (blows.some((blow) => hits(blow, run, pulses))) byBlows.push(run);
    else if (slow.get(run.process)?.some((spell) => hits(spell, run, pulses))) bySlowness.push(run);
  }
  return { byBlows, bySlowness };
}

function hits({ from, to }: Struck, { start, end }: Run, pulses: readonly number[]): boolean {
  const begun = start <= to || between(pulses, to, start) < NOTICE_PULSES;
  const marked = end !== undefined && end < from && between(pulses, end, from) >= MARK_PULSES;
  return begun && !marked;
}

/** How many pulses came after one time, and until another. */
function between(pulses: readonly number[], after: number, until: number): number {
  return Math.max(0, countUntil(pulses, until) - countUntil(pulses, after));
}

function countUntil(pulses: readonly number[], time: number): number {
  let [low, high] = [0, pulses.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((pulses[middle] as number) <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

function slowness(process: string, pulses: readonly number[]): readonly Struck[] {
  const found: Struck[] = [];
  for (const [index, to] of pulses.entries()) {
    const from = pulses[Math.max(0, index - SLOW.pulses)] ?? to;
    if (to - from < SLOW.ms) continue;
    const last = found.at(-1);
    // One spell, as long as it lasts.
    if (last && from <= last.to) found[found.length - 1] = { ...last, to };
    else found.push({ process, from, to });
  }
  return found;
}
