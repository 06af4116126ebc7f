import type { Disposer } from "./bus/subscriber.ts";
import { disposer } from "./bus/subscriber.ts";
import type { CloseOptions } from "./inbox/inbox.ts";

/** An inbox or a worker. */
export interface Closable {
  close(options: CloseOptions): unknown;
}

/** A server of `node:http`. */
export interface ClosableServer {
  close(closed: (error?: Error) => void): unknown;
  closeIdleConnections(): void;
}

export interface ShutdownOptions extends CloseOptions {
  /** Which signals; default: `SIGTERM`, which orchestrators send, and `SIGINT`, which Ctrl-C does. */
  readonly signals?: readonly NodeJS.Signals[] | undefined;
  /** Told of what could not be closed well; default: `console.error`. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/**
 * Closes `closables`, one after the other, when the process is asked to end: `closeOnSignal([server, inbox])` takes no more
 * requests, then drains the workers. After that the process ends by the signal, as it would have without this; a second
 * signal ends it at once. Returns what undoes it.
 */
export function closeOnSignal(
  closables: readonly (Closable | ClosableServer)[],
  options: ShutdownOptions = {},
): Disposer {
  const { signals = ["SIGTERM", "SIGINT"], graceMs = 10_000, onError = (error) => console.error(error) } = options;
  if (!Array.isArray(closables) || closables.some((each) => typeof each?.close !== "function")) {
    throw new TypeError("`closables` must be a list of inboxes, workers and servers: closeOnSignal([server, inbox])");
  }
  const listeners = new Map<NodeJS.Signals, () => void>();
  const undo = (): void => {
    for (const [signal, listener] of listeners) process.off(signal, listener);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    undo();
    for (const closable of closables) {
      try {
        await close(closable, graceMs);
      } catch (error) {
        onError(error);
      }
    }
    process.kill(process.pid, signal);
  };
  for (const signal of signals) {
    const listener = (): void => void end(signal);
    listeners.set(signal, listener);
    process.on(signal, listener);
  }
  return disposer(undo);
}

async function close(closable: Closable | ClosableServer, graceMs: number): Promise<void> {
  if (!("closeIdleConnections" in closable)) {
    await closable.close({ graceMs });
    return;
  }
  const closed = new Promise<void>((resolve, reject) => {
    closable.close((error) => (error ? reject(error) : resolve()));
  });
  // Providers keep connections open for their next delivery.
  closable.closeIdleConnections();
  await closed;
}
