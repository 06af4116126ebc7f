import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import ts from "typescript";

export interface Reach {
  /** Every file that is loaded, the first one included. */
  readonly files: readonly string[];
  /** Every source that these were made of, where they have maps. */
  readonly sources: readonly string[];
  /** Every package that is loaded, by the specifier it is imported with. */
  readonly packages: readonly string[];
}

/** Everything that loading `entry` loads: what it imports statically, and what that imports. */
export function reachOf(entry: string): Reach {
  const files = new Set<string>();
  const packages = new Set<string>();
  const waiting = [entry];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    for (const specifier of staticImports(file)) {
      // Declarations keep the names of the sources: `./bus.ts` means `./bus.d.ts`.
      const name = file.endsWith(".d.ts") ? specifier.replace(/(?<!\.d)\.ts$/, ".d.ts") : specifier;
      if (name.startsWith(".")) waiting.push(resolve(dirname(file), name));
      else packages.add(specifier);
    }
  }
  return { files: [...files], sources: [...files].flatMap(sourcesOf), packages: [...packages] };
}

function sourcesOf(file: string): string[] {
  if (!existsSync(`${file}.map`)) return [];
  const { sources } = JSON.parse(readFileSync(`${file}.map`, "utf8")) as { readonly sources: readonly string[] };
  return sources.map((source) => resolve(dirname(file), source));
}

/** `import … from`, `export … from` and `import "…"`; not `import()`, which loads nothing until it runs. */
function staticImports(file: string): string[] {
  const { statements } = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ESNext);
  return statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
    const specifier = statement.moduleSpecifier;
    return specifier && ts.isStringLiteral(specifier) ? [specifier.text] : [];
  });
}
