import { writeSync } from "node:fs";
import type { DeliveryContext } from "../../../src/bus/context.ts";
import { stripeBus } from "../../receiver/harness.ts";
import { following, openStorage, type Place, type Storage } from "../faults/storage.ts";
import { until } from "../scripted-bus.ts";

/** Where the process stops, to be killed there. */
export type Seam = "claimed" | "begun" | "written" | "marked" | "ended";

/** How subscribers do their work: by itself, in `context.transaction`, or in a transaction of theirs. */
export type Style = "plain" | "transaction" | "own";

export interface Task {
  readonly place: Place;
  readonly seam: Seam;
  readonly style: Style;
}

/** Says where the process is, and stops it there, timers, heartbeats and all. */
function stop(seam: Seam): never {
  writeSync(1, `at ${seam}\n`);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  throw new Error("unreachable");
}

/** A subscriber that does one piece of work, and that stops the process at `seam`. */
export function subscriber(storage: Storage, style: Style, seam?: Seam) {
  const stopAt = (here: Seam): void => {
    if (seam === here) stop(here);
  };
  return async (_event: unknown, context: DeliveryContext): Promise<void> => {
    const text = context.subscriber;
    stopAt("begun");
    if (style === "plain") {
      await storage.write(text);
      stopAt("written");
      return;
    }
    if (style === "transaction") {
      await context.transaction((tx: unknown) => following(storage.write(text, tx), () => stopAt("written")));
    } else {
      await storage.owned(async (executor) => {
        await storage.write(text, executor);
        await context.markDone(executor);
        stopAt("written");
      });
    }
    stopAt("marked");
  };
}

async function work({ place, seam, style }: Task): Promise<void> {
  const storage = await openStorage(place);
  const bus = stripeBus();
  bus.eventFilter = (event) => {
    if (seam === "claimed") stop(seam);
    return event;
  };
  bus.subscribe("charge.", subscriber(storage, style, seam), { name: "ledger" });
  bus.subscribe(
    "charge.",
    async (event, context) => {
      if (seam === "marked") {
        // A plain subscriber is marked soon after it has finished, while the next one runs.
        await until(async () => (await storage.query("SELECT subscriber FROM hookbus_inbox_mark")).length > 0);
        stop(seam);
      }
      await subscriber(storage, style)(event, context);
    },
    { name: "mailer" },
  );
  bus.notifications.subscribe("hookbus.", (step) => {
    if (seam === "ended" && step.name === "hookbus.attempt") stop(seam);
  });
  bus.inbox = storage.inbox({ leaseMs: 1_000 });
  bus.inbox.work(bus, { pollMs: 20 });
  // Its timers alone would not keep it alive.
  setInterval(() => {}, 60_000);
}

const [, , task] = process.argv;
// Not awaited: specs that take a subscriber from here are required by mocha, which cannot wait for a module.
if (task?.startsWith("{")) void work(JSON.parse(task) as Task);
