import type { ChildProcess } from "node:child_process";
import { signed } from "../deliveries/delivery.ts";
import { TEMPLATES } from "../deliveries/events.ts";
import type { Timed } from "../method/pairs.ts";
import type { Load, Loaded } from "./load.ts";
import { ask, LOAD_CORE, SERVER_CORE, started } from "./processes.ts";

/** What a slice of HTTP costs: all of it per request, the lower the better. */
export const SECONDS = "seconds";
export const CPU = "cpu";
export const P99 = "p99";

/** What a server does before it counts: what is not compiled yet is no measure. The slow ones get less of it. */
const WARM_REQUESTS = 4_000;
const WARM_MS = 5_000;

/** How many requests a connection makes at the least: with one or two of them, a slice would measure connecting. */
const LEAST_EACH = 5;

/** One load process, for servers one after the other. */
export class LoadGenerator {
  readonly #child: ChildProcess;
  readonly #servers: ChildProcess[] = [];
  readonly #connections: number;
  readonly #sliceSeconds: number;

  private constructor(child: ChildProcess, connections: number, sliceSeconds: number) {
    this.#child = child;
    this.#connections = connections;
    this.#sliceSeconds = sliceSeconds;
  }

  /** @param sliceSeconds about how long a slice takes: the shorter it is, the more of it goes into connecting. */
  static async start(connections: number, sliceSeconds: number): Promise<LoadGenerator> {
    const [child] = await started("load.ts", [], LOAD_CORE);
    return new LoadGenerator(child, connections, sliceSeconds);
  }

  /** Starts the server of `file`, sees that it does its work, warms it up, and gives it as something to pair. */
  async served(name: string, file: string, scheme: Load["scheme"] = "stripe", args: string[] = []): Promise<Timed> {
    const [server, { port }] = await started<{ port: number }>("serve.ts", [file, ...args], SERVER_CORE);
    this.#servers.push(server);
    await assertRefuses(name, port);
    const until = performance.now() + WARM_MS;
    let amount = 0;
    for (let sent = 0; sent < WARM_REQUESTS && performance.now() < until; sent += 1_000) {
      const warm = await this.#send(server, name, { port, scheme, amount: 1_000 });
      const each = Math.round(this.#sliceSeconds / warm[SECONDS] / this.#connections);
      amount = Math.max(LEAST_EACH, each) * this.#connections;
    }
    return { name, slice: () => this.#send(server, name, { port, scheme, amount }) };
  }

  stop(): void {
    for (const child of [this.#child, ...this.#servers]) child.disconnect();
  }

  async #send(server: ChildProcess, name: string, load: Omit<Load, "connections">) {
    const before = await ask<Spent>(server, {});
    const loaded = await ask<Loaded>(this.#child, { ...load, connections: this.#connections });
    const after = await ask<Spent>(server, {});
    const handled = after.handled - before.handled;
    if (loaded.accepted !== load.amount || handled !== load.amount) {
      throw new Error(`${name} accepted ${loaded.accepted} and handled ${handled} of ${load.amount} deliveries`);
    }
    return {
      [SECONDS]: loaded.seconds / load.amount,
      [CPU]: (after.cpuUs - before.cpuUs) / load.amount,
      [P99]: loaded.p99Ms,
    };
  }
}

interface Spent {
  readonly cpuUs: number;
  readonly handled: number;
}

/** A server that takes everything does not do the work. */
async function assertRefuses(name: string, port: number): Promise<void> {
  const { body, stripe, github, standard, id } = signed(TEMPLATES["3 KB"], { secret: "whsec_another" });
  const { status } = await fetch(`http://127.0.0.1:${port}/stripe`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "stripe-signature": stripe,
      "x-hub-signature-256": github,
      "x-github-event": "push",
      "x-github-delivery": id,
      ...standard,
    },
    body: body as Uint8Array<ArrayBuffer>,
  });
  if (status < 400) throw new Error(`${name} answered a forged delivery with ${status}`);
}
