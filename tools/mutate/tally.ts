/** The part of Stryker's report that is read here: https://github.com/stryker-mutator/mutation-testing-elements */
export interface Report {
  readonly files: Readonly<Record<string, { readonly source: string; readonly mutants: readonly Mutant[] }>>;
}

interface Mutant {
  readonly status: string;
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly location: { readonly start: Place; readonly end: Place };
}

interface Place {
  readonly line: number;
  readonly column: number;
}

export interface Tally {
  /** Mutants that a spec noticed, those that never ended included. */
  readonly killed: number;
  readonly timedOut: number;
  /** A line for each mutant that no spec noticed. */
  readonly survivors: readonly string[];
  /** Mutants that kept the specs from being loaded: they count for nothing, as in Stryker's own score. */
  readonly broken: number;
}

const NONE: Tally = { killed: 0, timedOut: 0, survivors: [], broken: 0 };

export function tallyOf(report: Report): Tally {
  return Object.entries(report.files)
    .flatMap(([file, { source, mutants }]) => mutants.map((mutant) => one(file, source, mutant)))
    .reduce(sum, NONE);
}

export function sum(one: Tally, other: Tally): Tally {
  return {
    killed: one.killed + other.killed,
    timedOut: one.timedOut + other.timedOut,
    survivors: [...one.survivors, ...other.survivors],
    broken: one.broken + other.broken,
  };
}

/** Percent of the mutants that were noticed, of those that could be. */
export function scoreOf({ killed, survivors }: Tally): number {
  return killed + survivors.length === 0 ? 0 : (100 * killed) / (killed + survivors.length);
}

export function summary(name: string, tally: Tally): string {
  const { killed, timedOut, survivors, broken } = tally;
  const score = scoreOf(tally).toFixed(2);
  return `${name}: ${score} %, ${killed} noticed (${timedOut} by time), ${survivors.length} not, ${broken} not loadable`;
}

function one(file: string, source: string, mutant: Mutant): Tally {
  switch (mutant.status) {
    case "Killed":
      return { ...NONE, killed: 1 };
    case "Timeout":
      return { ...NONE, killed: 1, timedOut: 1 };
    case "Survived":
    case "NoCoverage":
      return { ...NONE, survivors: [line(file, source, mutant)] };
    default:
      return { ...NONE, broken: 1 };
  }
}

function line(file: string, source: string, { mutatorName, replacement, location, status }: Mutant): string {
  const { start, end } = location;
  const rows = source.split("\n");
  const was =
    start.line === end.line
      ? rows[start.line - 1]?.slice(start.column - 1, end.column - 1)
      : `${rows[start.line - 1]?.slice(start.column - 1)} …`;
  const become = (replacement ?? "").replaceAll(/\s+/g, " ");
  return `${file}:${start.line}:${start.column} ${mutatorName}${status === "NoCoverage" ? ", never run" : ""}: ${was} -> ${become}`;
}
