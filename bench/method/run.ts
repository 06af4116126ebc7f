import type { Bench, Figure } from "./figure.ts";

/*
 * Runs the bench that its first argument names, in this process, which is the bench's own: what another one has compiled,
 * left on the heap or kept open says nothing about this one. The figures go to the parent.
 */
const [name = "", seed = "1", left = "Infinity"] = process.argv.slice(2);
const { bench } = (await import(`../${name}.ts`)) as { bench: Bench };
const tell = (line: string): void => void process.stderr.write(`${name}: ${line}\n`);
/** Its own time, or what the benches before it have left. */
const ms = Math.max(0, Math.min(bench.seconds, Number(left))) * 1000;
const until = performance.now() + ms;

/** Beyond its time: what hangs must not hold up the others. */
const GRACE_MS = 30_000;
setTimeout(() => {
  tell("gave up: it hangs");
  process.exit(1);
}, ms + GRACE_MS).unref();

const measured = await bench.measure({ until, seed: Number(seed), tell });
// Where no pair was had in time, nothing was measured.
const figures: readonly Figure[] = measured.filter(({ value }) => Number.isFinite(value));
for (const { metric, value } of measured) if (!Number.isFinite(value)) tell(`no time was left for ${metric}`);
process.send?.(figures, undefined, undefined, () => process.exit());
if (!process.send)
  console.table(figures.map(({ metric, value, unit, noise, pairs }) => ({ metric, value, unit, noise, pairs })));
