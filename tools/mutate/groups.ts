import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Sources that are changed on purpose, and the specs that have to notice. Globs, from the repository's root. */
export interface Group {
  readonly name: string;
  readonly mutate: readonly string[];
  readonly specs: readonly string[];
}

const ROOT = join(import.meta.dirname, "../..");
const PROVIDERS = join(ROOT, "src/providers");

/** Types alone: there is nothing to change in them. */
const TYPES = /-events\.ts$|-event-types\.ts$/;

/**
 * What is mutated, in parts that each run the specs about them and no others. A mutant of a value that is made at import
 * is put to all the specs of its group, which would be all there are if there were one group.
 */
export function groups(): readonly Group[] {
  const sources = readdirSync(PROVIDERS).filter((file) => file.endsWith(".ts") && !TYPES.test(file));
  const names = exported().filter((name) => sources.includes(`${name}.ts`) && name !== "define-provider");
  const ownedBy = (name: string) => sources.filter((file) => file === `${name}.ts` || file.startsWith(`${name}-`));
  const shared = sources.filter((file) => !names.some((name) => ownedBy(name).includes(file)));
  return [
    { name: "patterns", mutate: ["src/bus/patterns.ts"], specs: ["spec/bus/*.spec.ts"] },
    {
      name: "retrieval",
      mutate: ["src/receiver/{retrieve,fetch-back,fetch-guard}.ts"],
      specs: ["spec/receiver/{retrieve,retrieve-providers,fetch-back,fetch-guard}.spec.ts"],
    },
    {
      name: "doctor",
      mutate: ["src/receiver/{doctor,hints}.ts", "src/receiver/doctor/*.ts"],
      specs: ["spec/receiver/{doctor,verify,signatures}.spec.ts", "spec/monitoring/*.spec.ts"],
    },
    {
      name: "receiver",
      mutate: ["src/receiver/*.ts", "!src/receiver/{retrieve,fetch-back,fetch-guard,doctor,hints}.ts"],
      specs: [
        "spec/receiver/!(retrieve-providers|fetch-back|fetch-guard|doctor).spec.ts",
        "spec/{bus,monitoring}/*.spec.ts",
      ],
    },
    {
      name: "schemes",
      mutate: ["src/providers/schemes/*.ts"],
      specs: ["spec/providers/schemes/*.spec.ts", "spec/providers/{hmac,define-provider,contracts,vectors}.spec.ts"],
    },
    { name: "shared", mutate: inProviders(shared), specs: ["spec/providers/*.spec.ts"] },
    ...names.map((name) => ({
      name,
      mutate: inProviders(ownedBy(name)),
      specs: [
        `spec/providers/${name}.spec.ts`,
        `spec/providers/${name}-*.spec.ts`,
        "spec/providers/{contracts,vectors,traps}.spec.ts",
        "spec/bus/secret-shapes.spec.ts",
        "spec/receiver/retrieve-providers.spec.ts",
      ],
    })),
  ];
}

function exported(): readonly string[] {
  const manifest = readFileSync(join(ROOT, "package.json"), "utf8");
  return Object.keys((JSON.parse(manifest) as { exports: object }).exports).map((path) => path.replace("./", ""));
}

function inProviders(files: readonly string[]): readonly string[] {
  return files.map((file) => `src/providers/${file}`);
}
