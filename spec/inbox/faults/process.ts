import type { DeliveryContext } from "../../../src/bus/context.ts";
import type { Inbox, InboxBus, Run } from "../../../src/inbox/inbox.ts";
import { type Deferred, deferred, type SpecBus, stripeBus } from "../../receiver/harness.ts";
import { FakeClock } from "../../support/clock.ts";
import { until } from "../scripted-bus.ts";

/** The clock of a machine: somebody may set it, and its processes see that at once. */
export interface Machine {
  skewMs: number;
}

/** The clock of one process: its timers go on by themselves, whatever the machine's clock is set to. */
export class ProcessClock extends FakeClock {
  readonly #machine: Machine;

  constructor(machine: Machine = { skewMs: 0 }) {
    super();
    this.#machine = machine;
  }

  override now(): number {
    return super.now() + this.#machine.skewMs;
  }
}

export type Work = (context: DeliveryContext) => unknown;

/** A process with a worker, in so far as a spec can have several of them: a bus, its inbox, and a clock. */
export interface Process {
  readonly bus: SpecBus;
  readonly clock: ProcessClock;
  /** The subscribers that were called, in order. */
  readonly called: string[];
  /** What the worker handed the bus with each record. */
  readonly runs: Run[];
  /** The outcomes of the attempts that are over. */
  readonly attempts: string[];
  readonly troubles: unknown[];
  /** Begins to work, and looks for work twice a second of its clock's. */
  work(inbox: Inbox): void;
}

export function aProcess(clock: ProcessClock, subscribers: Readonly<Record<string, Work>>): Process {
  const bus = stripeBus();
  const called: string[] = [];
  const runs: Run[] = [];
  const attempts: string[] = [];
  const troubles: unknown[] = [];
  for (const [name, work] of Object.entries(subscribers)) {
    bus.subscribe(
      "charge.",
      (_event, context) => {
        called.push(name);
        return work(context);
      },
      { name },
    );
  }
  bus.notifications.subscribe("hookbus.", ({ name, outcome }) => {
    if (name === "hookbus.attempt" && outcome !== undefined) attempts.push(outcome);
  });
  const watched: InboxBus = {
    name: bus.name,
    assertReady: () => bus.assertReady(),
    deliver: (record, run) => {
      runs.push(run);
      return bus.deliver(record, run);
    },
    troubled: (error) => troubles.push(error),
  };
  return { bus, clock, called, runs, attempts, troubles, work: (inbox) => void inbox.work(watched, { pollMs: 500 }) };
}

/** The timers of a process whose worker waits for nothing but the time: the next look, heartbeat and purge. */
const RESTING = 3;

/**
 * Lets the timers of processes go on, a second at a time, each as soon as the store has answered, until `holds`. A worker may
 * look at any moment, as others tell it of work: what holds in the store by then is known to it, too.
 */
export async function passing(
  holds: () => boolean | Promise<boolean>,
  ...processes: readonly Process[]
): Promise<void> {
  const rest = async (): Promise<void> => {
    for (const { clock } of processes) await until(() => clock.pending >= RESTING);
  };
  await until(async () => {
    for (const { clock } of processes) {
      await clock.advance(1_000);
      await rest();
    }
    return holds();
  });
  await rest();
}

/** A subscriber's work that goes on until it is let go. */
export function held(): { readonly work: () => Promise<void>; readonly gate: Deferred<void> } {
  const gate = deferred();
  return { gate, work: () => gate.promise };
}
