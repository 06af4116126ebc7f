import type { Bus } from "../bus/bus.ts";
import type { DeliveryFacts } from "../bus/context.ts";
import type { Receipt } from "./receipt.ts";

/** A receipt, and what the operator may know of it. */
export interface Result {
  readonly receipt: Receipt;
  readonly reason?: string | undefined;
  readonly hint?: string | undefined;
  /** Set once it is known to be the result of this event. */
  facts?: DeliveryFacts | undefined;
  readonly error?: unknown;
  /** What the idempotency store failed with after the subscribers had failed. */
  readonly storeError?: unknown;
  readonly conflict?: boolean | undefined;
  /** What became of the other events of the same delivery. */
  readonly others?: readonly Result[] | undefined;
}

/** Runs one step of the pipeline and publishes how long it took and what came of it. */
export async function timed<T>(bus: Bus, name: "hookbus.retrieve", run: () => Promise<T>): Promise<T> {
  const started = performance.now();
  try {
    const result = await run();
    bus.step({ name, durationMs: performance.now() - started, outcome: result === null ? "ignored" : "retrieved" });
    return result;
  } catch (error) {
    bus.step({ name, durationMs: performance.now() - started, outcome: "failed", error });
    throw error;
  }
}
