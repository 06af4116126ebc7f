import typescript from "typescript";

// Without a compiler API that it knows, dependency-cruiser sees no TypeScript file at all and finds everything in order.
if (typeof typescript.createSourceFile !== "function") {
  throw new Error(
    "dependency-cruiser needs the TypeScript 6 API: keep `typescript` an alias of @typescript/typescript6",
  );
}

/** A file below `src/` by the start of its path, file extension included where one file is meant. */
const source = (...starts) => starts.map((start) => `^src/${start}`);

const PEERS = "(^|/)node_modules/(@types/)?(stripe|conekta|express|pg|bullmq|ioredis|redis|libsql)/";
const CONTRACTS = source("providers/provider\\.ts$", "idempotency/store\\.ts$", "inbox/(inbox|record)\\.ts$");

/** One layer of the house: what it may reach below `src/`, itself included. Everything else there is forbidden. */
const layer = (name, ...reachable) => ({
  name: `arrows-${name}`,
  comment: `src/${name} reaches something that it must not know.`,
  severity: "error",
  from: { path: source(`${name}/`) },
  to: {
    path: "^src/",
    pathNot: [...source(`${name}/`, "errors", "clock", "peer", "known-options", "thenable"), ...reachable],
  },
});

export default {
  forbidden: [
    {
      name: "no-circular",
      comment: "Files that need each other are one file, or need a third one.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    layer("adapters", ...source("receiver/", "bus/"), ...CONTRACTS),
    // A header is looked up, and JSON read, in one way, whoever does it.
    layer("receiver", ...source("bus/", "providers/schemes/(header|json)\\.ts$"), ...CONTRACTS),
    layer("bus", ...source("idempotency/"), ...CONTRACTS),
    layer("providers"),
    layer("databases"),
    layer("idempotency", ...source("databases/")),
    layer("inbox", ...source("databases/")),
    layer("monitoring", ...source("bus/", "providers/provider\\.ts$")),
    {
      name: "peers-where-they-belong",
      comment:
        "An SDK is named in src/providers, a driver in src/databases and src/inbox; elsewhere their types at most.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(providers|databases|inbox)/" },
      to: { path: PEERS, dependencyTypesNot: ["type-only"] },
    },
    {
      name: "peers-on-first-use",
      comment: "Optional peers are imported with import() when first needed, never while a module loads.",
      severity: "error",
      from: { path: "^src/" },
      to: { path: PEERS, dependencyTypesNot: ["type-only", "dynamic-import"] },
    },
    {
      name: "no-spec-in-source",
      comment: "What ships does not depend on what does not.",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(spec|bench|examples|tools)/" },
    },
    {
      name: "no-dev-dependency-in-source",
      comment: "A package that the source imports is a dependency or a peer.",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev"], dependencyTypesNot: ["npm-peer", "type-only"] },
    },
    {
      name: "no-unlisted-package",
      comment: "Every imported package is listed in package.json.",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["npm-peer"] },
    },
    {
      name: "no-unresolvable",
      comment: "An import that leads nowhere.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "node", "default"] },
  },
};
