import { setTimeout as sleep } from "node:timers/promises";
import { StaleTokenError } from "../../src/errors.ts";
import type { Inbox, InboxBus, Run } from "../../src/inbox/inbox.ts";
import type { Engine } from "./engines.ts";
import type { Fault } from "./options.ts";

/*
 * Faults that an inbox could have, planted around a good one: the soak must find each of them.
 */

/** How long the window of each fault is open, in milliseconds: from the least, and up to twice as long. */
const WINDOW_MS = { ackEarly: 50, markOutside: 100 };

const open = (leastMs: number): Promise<void> => sleep(leastMs * (1 + Math.random()));

export function broken(engine: Engine, fault: Fault): Inbox {
  const { inbox, alone } = engine;
  if (fault === "ack-early") return ackEarly(inbox);
  if (!alone) throw new Error(`${fault} needs transactions`);
  return withRuns(inbox, fault === "no-fence" ? (run) => noFence(run, alone) : (run) => markOutside(run, alone));
}

type Alone = NonNullable<Engine["alone"]>;

/** Answers before anything is committed. */
function ackEarly(inbox: Inbox): Inbox {
  return changed(inbox, {
    record: async (records) => {
      void open(WINDOW_MS.ackEarly).then(() => inbox.record(records).catch(() => undefined));
      return records.map(() => ({ state: "recorded" as const }));
    },
  });
}

/** A worker that has lost its lease goes on, and what its fence is refused for is committed all the same. */
function noFence(run: Run, alone: Alone): Run {
  return changed(run, {
    halt: undefined,
    transaction: async (mark, fn) => {
      try {
        return await transactionOf(run)(mark, fn);
      } catch (error) {
        if (error instanceof StaleTokenError) return alone(fn);
        throw error;
      }
    },
  });
}

/** The work is committed by itself, and the mark some time later: by the dispatch, when the subscriber has returned. */
function markOutside(run: Run, alone: Alone): Run {
  return changed(run, {
    transaction: async (_mark, fn) => {
      const result = await alone(fn);
      await open(WINDOW_MS.markOutside);
      return result;
    },
  });
}

function transactionOf(run: Run): NonNullable<Run["transaction"]> {
  if (!run.transaction) throw new Error("the inbox has no transactions");
  return run.transaction.bind(run);
}

/** Changes the runs that the inbox hands to its bus. */
function withRuns(inbox: Inbox, change: (run: Run) => Run): Inbox {
  const changedBus = (bus: InboxBus): InboxBus =>
    changed(bus, { deliver: (record, run) => bus.deliver(record, change(run)) });
  return changed(inbox, { work: (bus, options) => inbox.work(changedBus(bus), options) });
}

/** The same object but for a few members. A proxy, for private fields know no other object than their own. */
function changed<T extends object>(target: T, members: Partial<T>): T {
  return new Proxy(target, {
    get(_, name) {
      if (name in members) return Reflect.get(members, name);
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
