/* Says how long the import of what its argument names takes in this process, in milliseconds. */
const [what] = process.argv.slice(2);
const started = performance.now();
await import(what);
const took = performance.now() - started;
process.stdout.write(String(took), () => process.exit());
