import type { Work } from "../method/slice.ts";

/** How many events one timed call dispatches: one alone takes less than a clock can tell. */
export const EACH = 100;

/** How many subscribers every event matches. */
export const MATCHING = 5;

export interface TypedEvent {
  readonly id: string;
  readonly type: string;
}

/** What subscribers do here: they count, so that nobody can leave their work out. */
export class Counter {
  count = 0;

  readonly subscriber = (): void => {
    this.count += 1;
  };

  /** Subscribers that are functions of their own, as an application's are. */
  another(): () => void {
    return () => {
      this.count += 1;
    };
  }
}

/** Timed; every event must have reached its subscribers, and they alone. */
export function counted(name: string, async: boolean, counter: Counter, hundred: () => unknown): Work {
  return {
    name,
    async,
    each: EACH,
    one: hundred,
    before() {
      counter.count = 0;
    },
    after(calls) {
      const due = calls * EACH * MATCHING;
      if (counter.count !== due) throw new Error(`${name} called ${counter.count} subscribers and not ${due}`);
    },
  };
}
