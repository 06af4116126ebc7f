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

const RETRIEVAL = ["retrieve", "fetch-back", "fetch-guard"];
const DOCTOR = ["doctor", "hints"];
/** What is behind the receiver when the event is recorded first, and when it is claimed first. */
const INBOX = ["record", "deliver-record", "deliverer"];
const CLAIM = ["handle-once", "claimed-run"];
const APART = [...RETRIEVAL, ...DOCTOR, ...INBOX, ...CLAIM];

/** The specs of what several providers are made of. */
const SHARING = [
  "define-provider",
  "hmac",
  "payload",
  "http-status",
  "retry-after",
  "standard-webhooks",
  "svix",
  "contracts",
];

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
      name: "schemes",
      mutate: ["src/providers/schemes/*.ts"],
      specs: [
        "spec/providers/schemes/*.spec.ts",
        ...specs("providers", ["hmac", "define-provider"]),
        ...specs("bus", ["secret-shapes"]),
      ],
    },
    {
      name: "retrieval",
      mutate: inReceiver(RETRIEVAL),
      specs: specs("receiver", [...RETRIEVAL, "retrieve-providers"]),
    },
    {
      name: "doctor",
      mutate: [...inReceiver(DOCTOR), "src/receiver/doctor/*.ts"],
      specs: [...specs("receiver", ["doctor", "verify", "signatures"]), "spec/monitoring/*.spec.ts"],
    },
    {
      name: "inbox",
      mutate: inReceiver(INBOX),
      specs: [
        ...specs("receiver", ["inbox", "ignored", "batches", "verify", "retrieve"]),
        ...specs("inbox", ["memory", "faults/delivery", "faults/replays", "faults/transactions"]),
        ...specs("monitoring", ["*"]),
      ],
    },
    {
      name: "claim",
      mutate: inReceiver(CLAIM),
      specs: [
        ...specs("receiver", ["handle-once", "durable-idempotency", "ignored", "receive", "batches"]),
        ...specs("idempotency", ["memory", "sqlite"]),
      ],
    },
    {
      name: "receiver",
      mutate: inReceiver(filesIn("src/receiver", ".ts").filter((name) => !APART.includes(name))),
      specs: [
        ...specs(
          "receiver",
          filesIn("spec/receiver", ".spec.ts").filter((name) => !/^(?:fetch|doctor)/.test(name)),
        ),
        "spec/bus/*.spec.ts",
        "spec/monitoring/*.spec.ts",
      ],
    },
    { name: "shared", mutate: inProviders(shared), specs: specs("providers", SHARING) },
    ...names.map((name) => ({
      name,
      mutate: inProviders(ownedBy(name)),
      specs: [
        ...specs("providers", [name, `${name}-*`]),
        ...specs("bus", ["secret-shapes"]),
        ...specs("receiver", ["retrieve-providers"]),
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

function inReceiver(names: readonly string[]): readonly string[] {
  return names.map((name) => `src/receiver/${name}.ts`);
}

/** Each by a pattern of its own: Stryker's mocha runner finds nothing by patterns with braces. */
function specs(folder: string, names: readonly string[]): readonly string[] {
  return names.map((name) => `spec/${folder}/${name}.spec.ts`);
}

function filesIn(folder: string, end: string): readonly string[] {
  const files = readdirSync(join(ROOT, folder)).filter((file) => file.endsWith(end));
  return files.map((file) => file.slice(0, -end.length));
}
