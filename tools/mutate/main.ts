// `npm run mutate -- [--only NAME …] [--at-least PERCENT]`: Stryker over every group of sources, and one score for all.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Group, groups } from "./groups.ts";
import { type Report, scoreOf, sum, summary, type Tally, tallyOf } from "./tally.ts";

const ROOT = join(import.meta.dirname, "../..");
const OUT = ".cache/mutation";
const STRYKER = "node_modules/@stryker-mutator/core/bin/stryker.js";

const { values } = parseArgs({
  options: { only: { type: "string", multiple: true }, "at-least": { type: "string", default: "85" } },
});

function configOf(group: Group): string {
  const shared = JSON.parse(readFileSync(join(ROOT, "stryker.config.json"), "utf8"));
  const report = `${OUT}/${group.name}.json`;
  const config = {
    ...shared,
    mutate: group.mutate,
    mochaOptions: { ...shared.mochaOptions, spec: group.specs },
    jsonReporter: { fileName: report },
  };
  const path = join(ROOT, OUT, `${group.name}.conf.json`);
  writeFileSync(path, JSON.stringify(config));
  return path;
}

/** Throws where Stryker could not do its work, because specs fail without any mutant, for one. */
async function tally(group: Group): Promise<Tally> {
  const args = ["--require", "./tools/mutate/mocha-for-stryker.cjs", STRYKER, "run", configOf(group)];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`Stryker ended with ${code} over ${group.name}`);
  return tallyOf(JSON.parse(readFileSync(join(ROOT, OUT, `${group.name}.json`), "utf8")) as Report);
}

const chosen = groups().filter(({ name }) => values.only?.includes(name) ?? true);
if (chosen.length === 0)
  throw new Error(
    `--only must name one of ${groups()
      .map(({ name }) => name)
      .join(", ")}`,
  );
mkdirSync(join(ROOT, OUT), { recursive: true });

const lines: string[] = [];
let total: Tally | undefined;
for (const group of chosen) {
  const of = await tally(group);
  total = total ? sum(total, of) : of;
  lines.push(summary(group.name, of));
  console.log(`\n${lines.at(-1)}\n`);
}
if (!total) throw new Error("nothing was mutated");

const survivors = join(OUT, "survivors.txt");
writeFileSync(join(ROOT, survivors), `${total.survivors.join("\n")}\n`);
console.log([...lines, `${survivors} lists what no spec noticed`, summary("all", total)].join("\n"));
if (scoreOf(total) < Number(values["at-least"])) {
  console.error(`fewer than ${values["at-least"]} % of the mutants were noticed`);
  process.exitCode = 1;
}
