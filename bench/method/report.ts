import type { Figure } from "./figure.ts";
import type { Verdict } from "./goals.ts";

/** The figures as lines of text, a bench at a time. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.map(({ metric, value, unit, noise, pairs }) => [
    metric,
    written(value, unit),
    noise === undefined ? "" : `noise ±${(noise * 100).toFixed(1)} %`,
    pairs === undefined ? "" : `${pairs} pairs`,
  ]);
  return columns(rows);
}

/** Each goal, what it came to, and whether that is enough. */
export function verdicts(all: readonly Verdict[]): string {
  const rows = all.map(({ goal, figure, met }) => [
    met ? "met" : "MISSED",
    goal.bench,
    goal.metric,
    figure ? written(figure.value, figure.unit) : "not measured",
    `goal: ${goal.comparison} ${goal.figure}`,
    figure?.noise === undefined ? "" : `noise ±${(figure.noise * 100).toFixed(1)} %`,
  ]);
  return columns(rows);
}

function written(value: number, unit: Figure["unit"]): string {
  const digits = unit === "×" ? 2 : value < 100 ? 1 : 0;
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
