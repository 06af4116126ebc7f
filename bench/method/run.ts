import type { Bench, Figure } from "./figure.ts";

/*
 * Runs the bench that its argument names, in this process, which is the bench's own: what another one has compiled,
 * left on the heap or kept open says nothing about this one. The figures go to the parent.
 */
const [name = "", seed = "1"] = process.argv.slice(2);
const { bench } = (await import(`../${name}.ts`)) as { bench: Bench };
const tell = (line: string): void => void process.stderr.write(`${name}: ${line}\n`);
const until = performance.now() + bench.seconds * 1000;
/** Beyond its time: what hangs must not hold up the others. */
const GRACE_MS = 30_000;
setTimeout(
  () => {
    tell("gave up: it hangs");
    process.exit(1);
  },
  bench.seconds * 1000 + GRACE_MS,
).unref();

const measured = await bench.measure({ until, seed: Number(seed), tell });
// Where no pair was had in time, nothing was measured.
const figures: readonly Figure[] = measured.filter(({ value }) => Number.isFinite(value));
for (const { metric, value } of measured) if (!Number.isFinite(value)) tell(`no time was left for ${metric}`);
process.send?.(figures, undefined, undefined, () => process.exit());
if (!process.send)
  console.table(figures.map(({ metric, value, unit, noise, pairs }) => ({ metric, value, unit, noise, pairs })));
