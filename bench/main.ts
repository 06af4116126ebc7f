import { fork } from "node:child_process";
import { cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import type { Figure } from "./method/figure.ts";
import { judge } from "./method/goals.ts";
import { optionsOf } from "./method/options.ts";
import { table, verdicts } from "./method/report.ts";

/** In this order; together they take ten minutes at the most. */
const STANDING = ["verify", "reject", "dispatch", "start", "memory", "http", "accept", "record", "deliver"];
/** Too long for every run, or without a goal. */
const BY_NAME = ["growth", "parts"];

/** With what comes before and after, the benches of every run take ten minutes at the most. */
const TOTAL_SECONDS = 585;

/** In less, nothing can be made ready. */
const LEAST_SECONDS = 10;

const RUN = fileURLToPath(new URL("method/run.ts", import.meta.url));

const options = understood(() => optionsOf(process.argv.slice(2), STANDING, BY_NAME));
const say = (text: string): void => {
  if (!options.json) console.log(text);
};

const machine = { node: process.version, cpu: cpus()[0]?.model ?? "", cores: cpus().length, memory: totalmem() };
const date = new Date().toISOString();
say(`Node ${machine.node}, ${machine.cores} × ${machine.cpu}, ${date}`);

const figures: Figure[] = [];
for (const name of options.benches) {
  say(`\n${name}`);
  const found = await measured(name);
  figures.push(...found);
  say(table(found));
}

const judged = await judge(figures, options.benches);
const missed = judged.filter(({ met }) => !met);
if (options.check) {
  say(`\n${verdicts(judged)}\n`);
  say(missed.length === 0 ? "Every goal is met." : `Missed: ${missed.map(nameOf).join("; ")}`);
  if (missed.length > 0) process.exitCode = 1;
}
if (options.json) {
  const goals = judged.map(({ goal, figure, met }) => ({ ...goal, value: figure?.value ?? null, met }));
  console.log(JSON.stringify({ date, machine, figures, goals }, undefined, 2));
  if (options.check) for (const each of missed) console.error(`missed: ${nameOf(each)}`);
}

/** A bench in a process of its own. One that fails, or comes too late, has no figures, and so meets no goal. */
async function measured(name: string): Promise<readonly Figure[]> {
  const left = BY_NAME.includes(name) ? Number.POSITIVE_INFINITY : TOTAL_SECONDS - performance.now() / 1000;
  if (left < LEAST_SECONDS) {
    console.error(`${name}: the benches before it have taken all the time`);
    return [];
  }
  const child = fork(RUN, [name, String(options.seed), String(left)], {
    execArgv: ["--expose-gc", "--import", "tsx"],
    // The standard output is for the figures.
    stdio: ["ignore", 2, 2, "ipc"],
  });
  let found: readonly Figure[] | undefined;
  child.on("message", (message) => {
    found = message as readonly Figure[];
  });
  await new Promise((resolve) => child.once("close", resolve));
  if (!found) {
    console.error(`${name} failed`);
    process.exitCode = 1;
  }
  return found ?? [];
}

function nameOf({ goal }: { goal: { bench: string; metric: string } }): string {
  return `${goal.bench}: ${goal.metric}`;
}

/** What was asked for; a mistake in that needs no stack. */
function understood<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    console.error((error as Error).message);
    process.exit(2);
  }
}
