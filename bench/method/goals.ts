import { readFile } from "node:fs/promises";
import type { Figure } from "./figure.ts";

export interface Goal {
  readonly bench: string;
  readonly metric: string;
  readonly comparison: keyof typeof MEETS;
  readonly figure: number;
  /** The words that the goal was set in. */
  readonly source: string;
}

/** More noise than this excuses nothing: it would let any figure pass. */
const MOST_EXCUSED = 0.1;

const excused = (noise: number): number => Math.min(noise, MOST_EXCUSED);

/**
 * A rival is ahead or behind only by more than the floor differs from itself. Where that is not known, the noise is not a
 * number, and what it has a part in is not met.
 */
const MEETS = {
  below: (value: number, figure: number) => value < figure,
  "at most": (value: number, figure: number) => value <= figure,
  "at least": (value: number, figure: number) => value >= figure,
  "below by more than the noise": (value: number, figure: number, noise: number) => value < figure - noise,
  "above by more than the noise": (value: number, figure: number, noise: number) => value > figure + noise,
  "at most, within the noise": (value: number, figure: number, noise: number) => value <= figure + excused(noise),
  "at least, within the noise": (value: number, figure: number, noise: number) => value >= figure - excused(noise),
};

export interface Verdict {
  readonly goal: Goal;
  /** Absent where it was not measured, which meets no goal. */
  readonly figure: Figure | undefined;
  readonly met: boolean;
}

/** What became of the goals of the benches that were run. */
export async function judge(figures: readonly Figure[], benches: readonly string[]): Promise<readonly Verdict[]> {
  const text = await readFile(new URL("../goals.json", import.meta.url), "utf8");
  const goals = (JSON.parse(text) as readonly Goal[]).filter(({ bench }) => benches.includes(bench));
  return goals.map((goal) => verdictOn(goal, figures));
}

/** Throws an `Error` for a comparison that there is not. */
export function verdictOn(goal: Goal, figures: readonly Figure[]): Verdict {
  const figure = figures.find(({ bench, metric }) => bench === goal.bench && metric === goal.metric);
  const meets = MEETS[goal.comparison];
  if (!meets) throw new Error(`goals.json: nothing is called "${goal.comparison}"`);
  return { goal, figure, met: figure !== undefined && meets(figure.value, goal.figure, figure.noise ?? Number.NaN) };
}

/** The goal in words, as in "at most 1, within the noise". */
export function aimOf({ comparison, figure }: Pick<Goal, "comparison" | "figure">): string {
  return comparison.replace(/^(at most|at least|below|above)/, `$1 ${figure}`);
}
