/*
 * Builds the package in the current folder: declarations by TypeScript, one for each source, and the code by esbuild, a file
 * for each entry point and what entry points share in few chunks. Node takes a third of a millisecond and more for each file
 * that it imports, and there are hundreds of sources.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

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
await build({
  entryPoints: outputs.map((output) => output.replace(/^\.\/dist\/(.*)\.js$/, "src/$1.ts")),
  outdir: "dist",
  outbase: "src",
  chunkNames: "chunks/[hash]",
  bundle: true,
  splitting: true,
  packages: "external",
  format: "esm",
  platform: "node",
  target: "node20.19",
  sourcemap: true,
  sourcesContent: false,
  logLevel: "warning",
});
