import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { DeliveryContext } from "../../src/bus/context.ts";
import { RetryLater } from "../../src/errors.ts";
import type { SoakBus } from "./child.ts";
import type { Engine } from "./engines.ts";
import type { JournalWriter } from "./journal.ts";
import type { Task } from "./task.ts";
import { SUBSCRIBERS, type SubscriberName, type Work, workOf } from "./work.ts";

export interface Place {
  readonly task: Task;
  readonly engine: Engine;
  readonly journal: JournalWriter;
}

/** Subscribes all of them to every event. */
export function subscribe(bus: SoakBus, place: Place): void {
  for (const { name, transactional } of SUBSCRIBERS) {
    bus.all((_event, context) => run(place, context, name, transactional), { name });
  }
}

/** Thrown where a failure was planned. */
class Planned {
  readonly error: Error;

  constructor(error: Error) {
    this.error = error;
  }
}

let runs = 0;

/** Runs one subscriber for one event, between a start row and an end row. */
async function run(
  place: Place,
  context: DeliveryContext,
  name: SubscriberName,
  transactional: boolean,
): Promise<void> {
  const { task, engine, journal } = place;
  const { id: event } = context;
  const work = workOf(task.seed, event, name);
  const id = `${task.process}.${++runs}`;
  // Before the work, so that what is counted is the runs that were begun.
  journal.write({ kind: "start", run: id, event, subscriber: name, process: task.process, at: Date.now() });
  try {
    await sleep(work.ms);
    failAsPlanned(task, event, name, work);
    if (transactional) await engine.effect?.(context, { event, subscriber: name }, work.ms);
    journal.write({ kind: "end", run: id, ending: "ok", at: Date.now() });
  } catch (thrown) {
    const planned = thrown instanceof Planned;
    journal.write({ kind: "end", run: id, ending: planned ? "planned" : "undone", at: Date.now() });
    throw planned ? thrown.error : thrown;
  }
}

/** Fails as often as it was planned, over all processes: each failure leaves a file, which none can make twice. */
function failAsPlanned(task: Task, event: string, name: SubscriberName, { failures, failsBy }: Work): void {
  for (let failure = 1; failure <= failures; failure += 1) {
    if (!isFirst(join(task.failures, `${event}.${name}.${failure}`))) continue;
    throw new Planned(failsBy === "throw" ? new Error("planned") : new RetryLater(0.1, "planned"));
  }
}

function isFirst(path: string): boolean {
  try {
    closeSync(openSync(path, "wx"));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}
