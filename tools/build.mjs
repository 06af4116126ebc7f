/*
 * Builds the package in the current folder: declarations by TypeScript, one for each source, and the code by Rolldown, a file
 * for each entry point and what entry points share in few chunks. Node takes a third of a millisecond and more for each file
 * that it imports, and there are hundreds of sources.
 */
import buffer from "node:buffer";
import { execFileSync } from "node:child_process";
import crypto from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

/**
 * Modules of Node's that every entry point needs. An `import` of them reads all that they export, and so loads what Node keeps
 * for later, WebCrypto for one: a millisecond of a start. The package takes them as `require` would.
 */
const BUILTINS = { "node:buffer": buffer, "node:crypto": crypto };
const builtins = {
  name: "builtins",
  resolveId: (id) => (id in BUILTINS ? { id: `\0${id}`, moduleSideEffects: false } : undefined),
  load(id) {
    const name = id.slice(1);
    if (!(name in BUILTINS)) return undefined;
    // What nobody imports is left out, as a call that is marked so may be, and reading a property may not.
    const exported = Object.keys(BUILTINS[name]).map((each) => `export const ${each} = /*@__PURE__*/ of("${each}");`);
    return `const builtin = process.getBuiltinModule("${name}"); const of = (name) => builtin[name]; ${exported.join("")}`;
  },
};

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
const bus = among(/^src.(?!providers)/);
const names = outputs.map((output) => output.replace(/^\.\/dist\/(.*)\.js$/, "$1"));
const bundle = await rolldown({
  input: Object.fromEntries(names.map((name) => [name, `src/${name}.ts`])),
  external: (id) => /^(?![./\0]|[a-z]:[\\/])/i.test(id) && !(id in BUILTINS),
  plugins: [builtins],
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
      { name: "hookbus", test: (id) => bus(id) || id.startsWith("\0"), minShareCount: 5, priority: 1 },
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
