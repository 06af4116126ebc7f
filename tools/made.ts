import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The repository. */
export const ROOT: string = join(import.meta.dirname, "..");

/** A page with another text between its marks for `name`. */
export function withMade(path: string, name: string, made: string): string {
  const begin = `<!-- ${name}: made by npm run generate -->`;
  const end = `<!-- end of ${name} -->`;
  const [before, rest] = readFileSync(join(ROOT, path), "utf8").split(begin);
  const [, after] = (rest ?? "").split(end);
  if (before === undefined || after === undefined) throw new Error(`${path} has no marks for what is made of ${name}`);
  return `${before}${begin}\n\n${made}\n\n${end}${after}`;
}

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
