import type { Bus } from "../bus/bus.ts";
import { shielded } from "../bus/logger.ts";

/** Tells the bus's `onError` of a failure. Whatever the listener does about it changes nothing else. */
export function tellListener(
  bus: Bus,
  error: unknown,
  facts: { readonly id?: string; readonly type?: string } = {},
): void {
  shielded(() => bus.onError?.(error, { bus: bus.name, id: facts.id, type: facts.type }));
}
