import { parseArgs } from "node:util";

export interface Options {
  /** The benches to run. */
  readonly benches: readonly string[];
  readonly json: boolean;
  readonly check: boolean;
  readonly seed: number;
}

/** Throws an `Error` that says what is wrong with the arguments. */
export function optionsOf(args: readonly string[], standing: readonly string[], byName: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", multiple: true },
      json: { type: "boolean", default: false },
      check: { type: "boolean", default: false },
      seed: { type: "string", default: "1" },
    },
  });
  const known = [...standing, ...byName];
  const unknown = values.only?.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`there is no bench "${unknown}": ${known.join(", ")}`);
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed)) throw new Error("--seed must be a whole number");
  return { benches: values.only ?? standing, json: values.json, check: values.check, seed };
}
