import { cp, mkdir, mkdtemp, readdir, rm, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { mustRun } from "./run.ts";

/** The repository. */
export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));

const COPIED = [
  "package.json",
  "tsconfig.json",
  "README.md",
  "CHANGELOG.md",
  "LICENSE",
  "src",
  "docs",
  "fixtures",
  "examples",
];

const PREFIX = "package-";
const STALE_AFTER_MS = 60 * 60 * 1000;

let staged: Promise<string> | undefined;

/**
 * A copy of the package, built from the sources as they are now: its folder, which goes when the specs are over.
 *
 * `dist/` in the repository may be missing, stale, or half written by a build beside this one. Whatever is put into the
 * copy imports the package by its name, as users do.
 */
export function stagedPackage(): Promise<string> {
  staged ??= stage();
  return staged;
}

async function stage(): Promise<string> {
  const cache = join(ROOT, ".cache");
  await mkdir(cache, { recursive: true });
  await sweep(cache);
  const folder = await mkdtemp(join(cache, PREFIX));
  try {
    await fill(folder);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  return folder;
}

async function fill(folder: string): Promise<void> {
  for (const name of COPIED) await cp(join(ROOT, name), join(folder, name), { recursive: true });
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  await mustRun(process.execPath, [join(ROOT, "tools/build.mjs")], { cwd: folder });
}

/** Removes the copies of runs that were killed. */
async function sweep(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.startsWith(PREFIX)) continue;
    const made = await stat(join(cache, name)).catch(() => undefined);
    if (made && Date.now() - made.mtimeMs > STALE_AFTER_MS)
      await rm(join(cache, name), { recursive: true, force: true });
  }
}

/** The compiler's entry point. */
export function tsc(): string {
  return join(ROOT, "node_modules", ".bin", "tsc");
}

after(async () => {
  const folder = await staged?.catch(() => undefined);
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});
