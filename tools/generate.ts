// `npm run generate`: writes every file, and every part of a page, that is made of something else.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { generatedTypes } from "./generate-types.ts";
import { generatedPerformance } from "./performance-page.ts";
import { generatedPages } from "./provider-table.ts";

function write(texts: ReadonlyMap<string, string>): void {
  for (const [path, text] of texts) {
    writeFileSync(join(import.meta.dirname, "..", path), text);
    console.log(path);
  }
}

// The types first: the providers, which the pages tell of, are made with them.
write(generatedTypes());
write(generatedPages());
write(generatedPerformance());
