import type { Attempt, SubscriberState } from "../record.ts";
import type { Mark } from "./record-store.ts";

/** What each subscriber has made of an event: those that are marked, and those whose last attempt failed. */
export function subscriberStates(marks: readonly Mark[], history: readonly Attempt[]): SubscriberState[] {
  const states = new Map<string, SubscriberState>();
  for (const { endedAt = 0, failures } of history) {
    for (const { subscriber } of failures) {
      if (subscriber !== undefined) states.set(subscriber, { subscriber, state: "failed", at: endedAt });
    }
  }
  for (const { subscriber, rejected, at } of marks) {
    states.set(subscriber, { subscriber, state: rejected ? "rejected" : "done", at });
  }
  return [...states.values()];
}
