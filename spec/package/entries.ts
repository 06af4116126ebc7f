import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./stage.ts";

interface Target {
  readonly types: string;
  readonly default: string;
}

/** `exports` of package.json. */
export function exportsMap(): Readonly<Record<string, string | Target>> {
  return JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).exports;
}

/** Every entry point that is code (`"./stripe"`), and the file behind it. */
export function entryFiles(): ReadonlyMap<string, string> {
  const entries = Object.entries(exportsMap());
  return new Map(entries.flatMap(([entry, target]) => (typeof target === "string" ? [] : [[entry, target.default]])));
}

/** The specifier of an entry point: `"hookbus/stripe"` of `"./stripe"`. */
export function specifierOf(entry: string): string {
  return `hookbus${entry.slice(1)}`;
}
