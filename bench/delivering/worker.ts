/*
 * A worker in a process of its own. Its arguments name the engine and where the engine finds its work. The parent starts
 * and stops it, and is told how many events it has finished, and what it has spent on them.
 */
export interface Engine {
  /** Starts to work and calls `finished` after each event; gives what ends it. */
  start(finished: () => void): Promise<() => Promise<unknown>>;
}

const [name, target = ""] = process.argv.slice(2);
const { engineOf } = (await import(`./engines/${name}.ts`)) as { engineOf(target: string): Engine };
const engine = engineOf(target);

let stop: (() => Promise<unknown>) | undefined;
let count = 0;
let told = 0;
let cpu = process.cpuUsage();

/** So often that the clock stops in time, and so seldom that it costs nothing. */
const timer = setInterval(() => {
  if (count > told) process.send?.({ finished: count - told });
  told = count;
}, 3);

process.on("message", (message: "start" | "stop") => void (message === "start" ? begin() : end()));
process.on("disconnect", () => process.exit());
process.send?.({ ready: true });

async function begin(): Promise<void> {
  cpu = process.cpuUsage();
  stop = await engine.start(() => {
    count += 1;
  });
}

async function end(): Promise<void> {
  const { user, system } = process.cpuUsage(cpu);
  await stop?.();
  timer.refresh();
  process.send?.({ stopped: true, cpuMs: (user + system) / 1000 });
}
