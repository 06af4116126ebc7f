import type { Bench, Figure } from "./figure.ts";

/*
 * Runs the bench that its argument names, in this process, which is the bench's own: what another one has compiled,
 * left on the heap or kept open says nothing about this one. The figures go to the parent.
 */
const [name = "", seed = "1"] = process.argv.slice(2);
const { bench } = (await import(`../${name}.ts`)) as { bench: Bench };
const figures: readonly Figure[] = await bench.measure({
  until: performance.now() + bench.seconds * 1000,
  seed: Number(seed),
  tell: (line) => process.stderr.write(`${name}: ${line}\n`),
});
process.send?.(figures, undefined, undefined, () => process.exit());
if (!process.send)
  console.table(figures.map(({ metric, value, unit, noise, pairs }) => ({ metric, value, unit, noise, pairs })));
