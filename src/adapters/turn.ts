// Node's own: a spec of an application's that stands in for the timers must not hold up its answers.
import { setImmediate } from "node:timers";

/** The first does not wait long for the last: whoever asks later than this after it sends all of them on. */
const GATHER_MS = 2;

let gate: Gate | undefined;

interface Gate {
  readonly promise: Promise<void>;
  readonly until: number;
  readonly open: () => void;
}

/** Resolves at the end of this turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Resolves for all who ask within a turn of the event loop at the same time: at its end, or for whoever has asked by then
 * when somebody asks more than two milliseconds after the first.
 *
 * What is written to several sockets at once costs less than the same with other work in between: whoever reads them is
 * woken once, and the kernel's code stays in the caches.
 *
 * @param now milliseconds of which only differences count.
 */
export function sharedTurn(now: number = performance.now()): Promise<void> {
  gate ??= newGate(now + GATHER_MS);
  const { promise, until, open } = gate;
  if (now > until) open();
  return promise;
}

function newGate(until: number): Gate {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((resolved) => {
    resolve = resolved;
  });
  const made: Gate = {
    promise,
    until,
    open() {
      if (gate === made) gate = undefined;
      resolve();
    },
  };
  setImmediate(made.open);
  return made;
}
