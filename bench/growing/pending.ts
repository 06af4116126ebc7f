import type { Inbox } from "../../dist/inbox/inbox.js";
import type { Timed } from "../method/pairs.ts";
import { aRecord, sixtyFourWaiting } from "../storing/rows.ts";
import { called } from "./series.ts";

export const RECORD = "recorded";
export const DELIVER = "delivered";

/** As many as are recorded in a slice are delivered in it, so that what is pending stays as much as it was. */
const COUNT = 256;

/** An inbox in which so many records wait: each slice records a few, 64 at a time, and delivers a few. */
export function pendingIn(inbox: Inbox, size: number): Timed {
  return {
    name: called(size),
    async slice() {
      const started = performance.now();
      await sixtyFourWaiting(COUNT, () => inbox.record([aRecord("bench")]));
      const between = performance.now();
      await delivered(inbox);
      const ended = performance.now();
      return { [RECORD]: (between - started) / COUNT, [DELIVER]: (ended - between) / COUNT };
    },
  };
}

/** Resolves when so many were delivered, by a worker of its own; what it holds beyond them it finishes off the count. */
async function delivered(inbox: Inbox): Promise<void> {
  let left = COUNT;
  let enough = (): void => undefined;
  const done = new Promise<void>((resolve) => {
    enough = resolve;
  });
  const bus = {
    name: "bench",
    assertReady() {},
    async deliver() {
      left -= 1;
      if (left === 0) enough();
      return { outcome: { outcome: "done" } } as const;
    },
    troubled(error: unknown) {
      console.error(error);
    },
  };
  const worker = inbox.work(bus, { concurrency: 50 });
  await done;
  await worker.close();
}
