import { isWell } from "./judge.ts";
import { type Options, optionsOf, USAGE, UsageError } from "./options.ts";
import { report } from "./report.ts";
import { soak } from "./soak.ts";

/*
 * Delivers events to real processes of hookbus, kills and freezes them at random, and looks whether anything that was
 * acknowledged is lost or done twice. Exits with 0 only when nothing is; with 2 where it was asked for what cannot be.
 */

function asked(): Options {
  try {
    return optionsOf(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}

const options = asked();
// The first signal ends the run in good order, with all that it has made removed; the second one at once.
const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => (interruption.signal.aborted ? process.exit(1) : interruption.abort()));
}

const { inbox, events, kills, seed, fault } = options;
console.error(`soak of ${inbox}: ${events} events, ${kills} kills, seed ${seed}${fault ? `, broken by ${fault}` : ""}`);
const { verdict, troubles } = await soak(options, (progress) => console.error(progress), interruption.signal);
console.error(
  `${verdict.atRisk} runs were in progress at kills and freezes, and ${verdict.heldUp} when the machine held them up`,
);
for (const trouble of troubles) console.error(trouble);
process.stdout.write(report(verdict));
process.exitCode = isWell(verdict) && troubles.length === 0 ? 0 : 1;
