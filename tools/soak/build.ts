import { execFile } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = join(import.meta.dirname, "..", "..");
const PROGRAMS = [import.meta.resolve("./receiver.ts"), import.meta.resolve("./worker.ts")].map((url) =>
  fileURLToPath(url),
);

/** The programs of the processes. */
export interface Programs {
  readonly receiver: string;
  readonly worker: string;
}

/**
 * Compiles the processes' programs, and the hookbus that they run, into `folder`. A process that is killed is started
 * again at once: loading a compiler every time would take longer than the outage is meant to be. It also makes all
 * processes of a run the same, whatever becomes of the sources meanwhile.
 */
export async function buildPrograms(folder: string): Promise<Programs> {
  await mkdir(folder);
  const config = join(folder, "tsconfig.json");
  await writeFile(
    config,
    JSON.stringify({
      extends: join(ROOT, "tsconfig.json"),
      compilerOptions: {
        rootDir: ROOT,
        outDir: folder,
        // `npm run check` looks at types; what is needed here is JavaScript.
        noCheck: true,
        types: [],
        declaration: false,
        declarationMap: false,
        isolatedDeclarations: false,
        sourceMap: false,
      },
      include: [],
      files: PROGRAMS,
    }),
  );
  await writeFile(join(folder, "package.json"), '{ "type": "module" }\n');
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"), "dir");
  await promisify(execFile)(process.execPath, [join(ROOT, "node_modules/@typescript/native/bin/tsc"), "-p", config]);
  const program = (name: string): string => join(folder, "tools", "soak", `${name}.js`);
  return { receiver: program("receiver"), worker: program("worker") };
}
