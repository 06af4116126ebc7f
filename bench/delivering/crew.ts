import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Timed } from "../method/pairs.ts";
import { coreTime } from "../method/proc-stat.ts";
import { EACH } from "../storing/batch.ts";
import type { Backlog } from "./backlog.ts";

/** How many cores the workers were busy with. */
export const WORKERS = "workers";

/** How many cores were busy with anything: the workers, the server, and the little that the bench itself does. */
export const MACHINE = "machine";

/** How many events are recorded at once. */
const AT_ONCE = 400;

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));

/** Worker processes of one engine, of which as many work as a slice asks for. */
export class Crew {
  readonly #backlog: Backlog;
  readonly #workers: readonly ChildProcess[];
  readonly #count: number;
  #finished = 0;

  private constructor(backlog: Backlog, workers: readonly ChildProcess[], count: number) {
    this.#backlog = backlog;
    this.#count = count;
    this.#workers = workers;
    for (const worker of workers) {
      worker.on("message", ({ finished = 0 }: { finished?: number }) => {
        this.#finished += finished;
      });
    }
  }

  /** @param count how many events a slice delivers: enough, or it times how fast workers start. */
  static async start(engine: string, target: string, backlog: Backlog, size: number, count: number): Promise<Crew> {
    const workers = Array.from({ length: size }, () =>
      fork(WORKER, [engine, target], { execArgv: ["--import", "tsx"], stdio: ["ignore", 2, 2, "ipc"] }),
    );
    await Promise.all(workers.map((worker) => once(worker, "message")));
    return new Crew(backlog, workers, count);
  }

  /** So many processes empty the backlog. */
  working(name: string, size: number): Timed {
    return { name, slice: () => this.#slice(this.#workers.slice(0, size)) };
  }

  async stop(): Promise<void> {
    for (const worker of this.#workers) worker.disconnect();
    await this.#backlog.close();
  }

  async #slice(workers: readonly ChildProcess[]) {
    const count = this.#count;
    for (let filled = 0; filled < count; filled += AT_ONCE) await this.#backlog.fill(Math.min(AT_ONCE, count - filled));
    this.#finished = 0;
    const busy = busyMs();
    const started = performance.now();
    for (const worker of workers) worker.send("start");
    while (this.#finished < count) await sleep(1);
    // A subscriber has ended; that this is known for good is part of the work.
    while ((await this.#backlog.left()) > 0) await sleep(1);
    const took = performance.now() - started;
    const machine = busyMs() - busy;
    const spent = await Promise.all(workers.map(stopped));
    if (this.#finished !== count) throw new Error(`${this.#finished} of ${count} events were delivered`);
    const workersMs = spent.reduce((sum, ms) => sum + ms, 0);
    return { [EACH]: took / count, [WORKERS]: workersMs / took, [MACHINE]: machine / took };
  }
}

/** Not a number, where nobody tells. */
function busyMs(): number {
  return coreTime()?.busy ?? Number.NaN;
}

/** Resolves to what the worker has spent, in milliseconds. */
async function stopped(worker: ChildProcess): Promise<number> {
  worker.send("stop");
  for (;;) {
    const [message] = (await once(worker, "message")) as [{ stopped?: boolean; cpuMs?: number }];
    if (message.stopped) return message.cpuMs ?? 0;
  }
}
