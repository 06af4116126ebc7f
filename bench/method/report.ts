import type { Figure } from "./figure.ts";
import { aimOf, type Verdict } from "./goals.ts";

/** The figures as lines of text, a bench at a time. */
export function table(figures: readonly Figure[]): string {
  return columns(figures.map((each) => [each.metric, written(each.value, each.unit), noiseAndPairs(each)]));
}

/** Each goal, what it came to, and whether that is enough. */
export function verdicts(all: readonly Verdict[]): string {
  const rows = all.map(({ goal, figure, met }) => [
    met ? "met" : "MISSED",
    goal.bench,
    goal.metric,
    figure ? written(figure.value, figure.unit) : "not measured",
    `goal: ${aimOf(goal)}`,
    figure ? noiseAndPairs(figure) : "",
  ]);
  return columns(rows);
}

function noiseAndPairs({ unit, noise, pairs }: Figure): string {
  const parts = [noise !== undefined && `noise ${noiseIn(unit, noise)}`, pairs !== undefined && `${pairs} pairs`];
  return parts.filter(Boolean).join(", ");
}

/** Of a ratio a part of it; of a difference, in the same unit. */
export function noiseIn(unit: Figure["unit"], noise: number): string {
  return unit === "×" ? `±${(noise * 100).toFixed(1)} %` : `±${written(noise, unit)}`;
}

export function written(value: number, unit: Figure["unit"]): string {
  const digits = unit === "×" || unit === "cores" ? 2 : value < 100 ? 1 : 0;
  return `${value.toFixed(digits)} ${unit}`;
}

function columns(rows: readonly string[][]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
