import type { DeliveryContext } from "./context.ts";
import type { Subscriber } from "./subscriber.ts";

/** What the emitter holds for each subscription: called with the full name, the context and, last, the event. */
export type Listener = (name: string, context: DeliveryContext, event: unknown) => unknown;

/** Turns a subscriber into the listener that the emitter holds. Replace it to wrap every subscriber of a bus. */
export type NotificationAdapter = (subscriber: Subscriber<never>) => Listener;

/** Hands the last argument, the event, to the subscriber, and the one before it, the context. */
export const notificationAdapter: NotificationAdapter = (subscriber) => {
  // A function has a `call` method too: ask for the function first.
  if (typeof subscriber === "function") return (...args) => subscriber(args.at(-1) as never, args.at(-2) as never);
  return (...args) => subscriber.call(args.at(-1) as never, args.at(-2) as never);
};
