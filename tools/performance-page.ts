import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Figure } from "../bench/method/figure.ts";
import { type Goal as Aim, aimOf } from "../bench/method/goals.ts";
import { noiseIn, written } from "../bench/method/report.ts";
import { ROOT, table, withMade } from "./made.ts";

const PAGE = "docs/performance.md";

/** What `npm run bench -- --json` has printed, by the command. */
const RUNS: Readonly<Record<string, string>> = {
  "npm run bench": "bench/results/standing.json",
  "npm run bench -- --only parts": "bench/results/parts.json",
  "npm run bench -- --only growth": "bench/results/growth.json",
};

interface Goal extends Pick<Aim, "bench" | "metric" | "comparison" | "figure"> {
  readonly met: boolean;
}

interface Run {
  readonly date: string;
  readonly machine: { readonly node: string; readonly cpu: string; readonly cores: number; readonly memory: number };
  readonly figures: readonly Figure[];
  readonly goals: readonly Goal[];
}

/** The page that tells what was measured: its text, with the figures put in anew, by its path. */
export function generatedPerformance(): ReadonlyMap<string, string> {
  const parts = Object.entries(RUNS)
    .filter(([, path]) => existsSync(join(ROOT, path)))
    .map(([command, path]) => partOf(command, JSON.parse(readFileSync(join(ROOT, path), "utf8")) as Run));
  return new Map([[PAGE, withMade(PAGE, "figures", parts.join("\n\n"))]]);
}

function partOf(command: string, { date, machine, figures, goals }: Run): string {
  const { node, cpu, cores, memory } = machine;
  const gigabytes = Math.round(memory / 2 ** 30);
  const head = `\`${command}\`, ${date.slice(0, 10)}: Node ${node}, ${cores} × ${cpu}, ${gigabytes} GB.`;
  const benches = [...new Set(figures.map(({ bench }) => bench))];
  const tables = benches.map((bench) => {
    const rows = figures.filter((each) => each.bench === bench).map((figure) => rowOf(figure, goals));
    return `### ${bench}\n\n${table(["measured", "figure", "goal", "noise", "pairs"], rows)}`;
  });
  const missed = goals.filter(({ met }) => !met);
  const told = missed.map((goal) => `- \`${goal.bench}\`, ${goal.metric}: ${aimOf(goal)}`);
  const fallen = goals.length === 0 ? [] : [`${goals.length - told.length} of ${goals.length} goals are met.`];
  if (told.length > 0) fallen.push(["Missed:", "", ...told].join("\n"));
  return [head, ...fallen, ...tables].join("\n\n");
}

function rowOf({ bench, metric, value, unit, noise, pairs }: Figure, goals: readonly Goal[]): readonly string[] {
  const goal = goals.find((each) => each.bench === bench && each.metric === metric);
  const aim = goal ? `${aimOf(goal)}${goal.met ? "" : ": **missed**"}` : "";
  const within = noise === undefined ? "" : noiseIn(unit, noise);
  return [metric, written(value, unit), aim, within, pairs === undefined ? "" : String(pairs)];
}
