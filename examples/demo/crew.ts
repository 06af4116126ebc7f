import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { Setup } from "./buses.ts";
import type { News } from "./news.ts";

/** The worker process, and whoever starts another one when it dies. */
export class Crew {
  readonly #setup: Setup;
  readonly #hear: (news: News | { readonly kind: "killed" }) => void;
  #worker: ChildProcess | undefined;
  #closing = false;

  constructor(setup: Setup, hear: (news: News | { readonly kind: "killed" }) => void) {
    this.#setup = setup;
    this.#hear = hear;
  }

  /** Starts a worker. A doomed one dies in the first delivery that lets it; the one after it is sound. */
  start(fate: "sound" | "doomed"): void {
    const worker = fork(new URL("worker.ts", import.meta.url), [JSON.stringify(this.#setup), fate]);
    this.#worker = worker;
    worker.on("message", (news) => this.#hear(news as News));
    worker.on("exit", (_code, signal) => {
      if (this.#closing || this.#worker !== worker) return;
      if (signal === "SIGKILL") this.#hear({ kind: "killed" });
      this.start("sound");
    });
  }

  /** Puts a doomed worker in the place of the present one. */
  async doom(): Promise<void> {
    const before = this.#worker;
    this.start("doomed");
    await end(before);
  }

  async close(): Promise<void> {
    this.#closing = true;
    await end(this.#worker);
  }
}

async function end(worker: ChildProcess | undefined): Promise<void> {
  if (!worker || worker.exitCode !== null || worker.signalCode !== null) return;
  const ended = once(worker, "exit");
  worker.disconnect();
  await ended;
}
