/*
 * Builds the package in the current folder: declarations by TypeScript, one for each source, and the code by Rolldown, a file
 * for each entry point and what entry points share in few chunks. Node takes a third of a millisecond and more for each file
 * that it imports, and there are hundreds of sources.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const tsc = fileURLToPath(new URL("../node_modules/.bin/tsc", import.meta.url));
const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
const outputs = Object.values(exports).flatMap(({ default: output }) => output ?? []);

rmSync("dist", { recursive: true, force: true });
try {
  execFileSync(process.execPath, [tsc, "--emitDeclarationOnly"], { stdio: "inherit" });
} catch (error) {
  // The compiler has said why.
  process.exit(error.status ?? 1);
}
/** Whatever folders the package itself lies in. */
const among = (pattern) => (id) => pattern.test(relative(process.cwd(), id));
const names = outputs.map((output) => output.replace(/^\.\/dist\/(.*)\.js$/, "$1"));
const bundle = await rolldown({
  input: Object.fromEntries(names.map((name) => [name, `src/${name}.ts`])),
  external: /^(?![./]|[a-z]:[\\/])/i,
  platform: "node",
  transform: { target: "node20.19" },
});
await bundle.write({
  dir: "dist",
  format: "esm",
  entryFileNames: "[name].js",
  chunkFileNames: "chunks/[name]-[hash].js",
  codeSplitting: {
    groups: [
      // What an event bus needs, which every application imports.
      { name: "hookbus", test: among(/^src.(?!providers)/), minShareCount: 5, priority: 1 },
      // What providers have in common, and the front door has no use for.
      { name: "providers", test: among(/^src.providers/), minShareCount: 2 },
    ],
  },
  // Those of the sources are in the sources, which are shipped.
  comments: false,
  sourcemap: true,
  sourcemapExcludeSources: true,
});
await bundle.close();
