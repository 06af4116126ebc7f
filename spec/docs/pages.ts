import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../package/stage.ts";

export interface Page {
  /** `"README.md"`, `"docs/errors.md"` */
  readonly name: string;
  readonly text: string;
}

/** What users read: the README and everything in `docs/`. */
export function pages(): Page[] {
  const docs = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
  return ["README.md", ...docs.sort().map((name) => `docs/${name}`)].map(page);
}

export function page(name: string): Page {
  return { name, text: readFileSync(join(ROOT, name), "utf8") };
}

/** The cells of every table row whose first cell is code, by the text of that cell. */
export function rowsByCode(text: string): ReadonlyMap<string, readonly string[]> {
  const rows = new Map<string, readonly string[]>();
  for (const [line] of text.matchAll(/^\|.*\|$/gm)) {
    const cells = line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim());
    const code = /^`([^`]+)`$/.exec(cells[0] ?? "")?.[1];
    if (code !== undefined) rows.set(code, cells);
  }
  return rows;
}
