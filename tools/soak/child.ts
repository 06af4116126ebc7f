import { appendFileSync } from "node:fs";
import { format } from "node:util";
import { EventBus } from "../../src/event-bus.ts";
import { stripe } from "../../src/providers/stripe.ts";
import type { StripeBaseEvent, StripeEventMap } from "../../src/providers/stripe-events.ts";
import { broken } from "./broken.ts";
import { type Engine, engineAt } from "./engines.ts";
import { SIGNING_SECRET, STOP, type Task, type Up } from "./task.ts";

export type SoakBus = EventBus<StripeEventMap, StripeBaseEvent>;

/** What a receiver and a worker have in common. */
export interface Child {
  readonly task: Task;
  readonly engine: Engine;
  readonly bus: SoakBus;
}

/** Sets up a process of the soak: a bus on the inbox that it was told of. */
export async function startChild(): Promise<Child> {
  // Without a parent there is nobody to judge: nothing must be left running.
  process.once("disconnect", () => process.exit(0));
  const task = JSON.parse(process.argv[2] ?? "{}") as Task;
  const engine = await engineAt(task.address);
  const bus: SoakBus = new EventBus(stripe(), { name: "soak" });
  const log = (...words: readonly unknown[]): void => appendFileSync(task.log, `${task.process} ${format(...words)}\n`);
  bus.configure((events) => {
    events.logger = { info() {}, warn: log, error: log };
    events.signingSecrets = SIGNING_SECRET;
    events.inbox = task.fault ? broken(engine, task.fault) : engine.inbox;
  });
  return { task, engine, bus };
}

/** Says that the process is up, and ends it when the run is over. */
export function serveUntilStopped({ engine }: Child, up: Up, close: () => Promise<void> = async () => {}): void {
  process.on("message", (message) => {
    if (message !== STOP) return;
    void close()
      .then(() => engine.close())
      .then(() => process.disconnect());
  });
  process.send?.(up);
}
