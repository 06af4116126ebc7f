import type { Bus } from "../bus/bus.ts";

/** Tells the bus's `onError` of a failure. Whatever the listener does about it changes nothing else. */
export function tellListener(
  bus: Bus,
  error: unknown,
  facts: { readonly id?: string; readonly type?: string } = {},
): void {
  try {
    const told: unknown = bus.onError?.(error, { bus: bus.name, id: facts.id, type: facts.type });
    // The listener's own trouble, now or later, must change neither the answer nor the life of the process.
    if (told instanceof Promise) told.catch(() => undefined);
  } catch {
    // As above.
  }
}
