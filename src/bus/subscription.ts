import type { Listener } from "./adapter.ts";
import type { Subscriber } from "./subscriber.ts";

/** One subscriber under one pattern, as a bus or the notifications hold it. */
export interface Subscription {
  /** The full pattern, namespace included. */
  readonly pattern: string;
  readonly subscriber: Subscriber<never>;
  readonly listener: Listener;
  /** Unique in its scope; what errors, logs and marks call it. */
  readonly name: string;
  /** Whether the name was given, and so survives a deploy. */
  readonly named: boolean;
  /** The bus it was made on, by its own mark; empty for subscriptions across buses. */
  readonly scope: string;
  readonly timeoutMs: number | undefined;
  readonly once: boolean;
  /** Position among all subscriptions: subscribers run in this order. */
  readonly order: number;
}

/** What marks the subscription as done with an event: a bus and an app-wide listener may share a name. */
export function markOf(subscription: Subscription): string {
  return subscription.scope === "" ? `notifications/${subscription.name}` : subscription.name;
}
