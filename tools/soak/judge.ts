import { exposed, type Struck } from "./exposure.ts";
import { pairOf, type Runs } from "./runs.ts";

/** A row that a subscriber wrote in the transaction that also marked it as done. */
export interface Effect {
  readonly event: string;
  readonly subscriber: string;
}

export interface Evidence {
  /** The ids of the events that were sent. */
  readonly events: readonly string[];
  /** The ids of those that were answered with 2xx at least once. */
  readonly acked: ReadonlySet<string>;
  readonly subscribers: readonly { readonly name: string; readonly transactional: boolean }[];
  readonly runs: Runs;
  /** Absent where the inbox has no transactions. */
  readonly effects: readonly Effect[] | undefined;
  readonly struck: readonly Struck[];
}

export interface Verdict {
  readonly acked: number;
  /** Events that were acknowledged and lack the finished effect of some subscriber. */
  readonly lost: readonly string[];
  /** A line for each transactional effect beyond the first of its event and subscriber. */
  readonly doubled: readonly string[] | undefined;
  /** Pairs of event and subscriber that ran, with success or an interruption, more than once. */
  readonly reran: readonly string[];
  /** Those of them that ran more often than interruptions of these very runs explain. */
  readonly unexplained: readonly string[];
  /** How many runs were in progress at the kills and freezes. */
  readonly atRisk: number;
  /** How many more were in progress while the machine held their processes up for as long as a freeze. */
  readonly heldUp: number;
  /** Events that were never acknowledged. */
  readonly unacked: readonly string[];
}

/** Judges by what was answered and by what subscribers wrote, and by nothing that the inbox says of itself. */
export function judge(evidence: Evidence): Verdict {
  const { events, acked, runs, struck } = evidence;
  const counts = countRuns(runs);
  const { byBlows, bySlowness } = exposed(runs, struck);
  const risk = new Map<string, number>();
  for (const { event, subscriber } of [...byBlows, ...bySlowness]) {
    const pair = pairOf(event, subscriber);
    risk.set(pair, (risk.get(pair) ?? 0) + 1);
  }
  const reran = [...counts].filter(([, count]) => count > 1);
  return {
    acked: acked.size,
    lost: lostOf(evidence),
    doubled: doubledOf(evidence),
    reran: reran.map(([pair]) => pair),
    unexplained: reran.filter(([pair, count]) => count - 1 > (risk.get(pair) ?? 0)).map(([pair]) => pair),
    atRisk: byBlows.length,
    heldUp: bySlowness.length,
    unacked: events.filter((id) => !acked.has(id)),
  };
}

/**
 * Nothing lost, nothing doubled, nothing unanswered, and each pair that ran again has its own interruptions to show for it:
 * so no more ran again than were in progress when something struck.
 */
export function isWell({ lost, doubled = [], unexplained, unacked }: Verdict): boolean {
  return [lost, doubled, unexplained, unacked].every(({ length }) => length === 0);
}

/** The acknowledged events that still lack something. */
export function lostOf({ acked, subscribers, runs, effects }: Omit<Evidence, "events" | "struck">): readonly string[] {
  const written = new Set(effects?.map(({ event, subscriber }) => pairOf(event, subscriber)));
  return [...acked].filter((event) => {
    const succeeded = runs.succeeded(event);
    return !subscribers.every(({ name, transactional }) =>
      transactional && effects ? written.has(pairOf(event, name)) : succeeded.has(name),
    );
  });
}

function doubledOf({ effects }: Evidence): readonly string[] | undefined {
  if (!effects) return undefined;
  const seen = new Set<string>();
  const doubled: string[] = [];
  for (const { event, subscriber } of effects) {
    const pair = pairOf(event, subscriber);
    if (seen.has(pair)) doubled.push(pair);
    seen.add(pair);
  }
  return doubled;
}

/** How often each pair ran, leaving out the runs that failed as planned, and those whose work was undone. */
function countRuns(runs: Runs): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { event, subscriber, ending } of runs.all) {
    if (ending !== undefined && ending !== "ok") continue;
    const pair = pairOf(event, subscriber);
    counts.set(pair, (counts.get(pair) ?? 0) + 1);
  }
  return counts;
}
