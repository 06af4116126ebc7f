import type { Verdict } from "./judge.ts";

/** How many ids of each kind of offence are named. */
const NAMED = 5;

/** The last line. */
function summary({ acked, lost, doubled, reran }: Verdict): string {
  return `acked ${acked}, lost ${lost.length}, transactional effects doubled ${doubled?.length ?? "n/a"}, subscribers run more than once ${reran.length}`;
}

/** What goes to stdout: the offences, where there are any, and the summary. */
export function report(verdict: Verdict): string {
  const { lost, doubled = [], unexplained, unacked } = verdict;
  const lines = [
    ...named("acknowledged and lost", lost),
    ...named("effects doubled", doubled),
    ...named("run more often than kills and freezes explain", unexplained),
    ...named("never acknowledged", unacked),
  ];
  return `${[...lines, summary(verdict)].join("\n")}\n`;
}

function named(offence: string, ids: readonly string[]): readonly string[] {
  if (ids.length === 0) return [];
  const more = ids.length > NAMED ? ` and ${ids.length - NAMED} more` : "";
  return [`${offence}: ${ids.slice(0, NAMED).join(", ")}${more}`];
}
