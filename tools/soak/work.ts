import { oneOf, randomFrom, seedOf, whole } from "./random.ts";

/** The subscribers of every event, in the order in which they are called. */
export const SUBSCRIBERS = [
  { name: "mailer", transactional: false },
  { name: "stockroom", transactional: false },
  { name: "ledger", transactional: true },
  { name: "statistics", transactional: false },
] as const;

export type SubscriberName = (typeof SUBSCRIBERS)[number]["name"];

/** What one subscriber does with one event. */
export interface Work {
  /** How long it takes, in milliseconds. */
  readonly ms: number;
  /** How often it fails before it succeeds. */
  readonly failures: number;
  /** How it fails: with an error like any other, or by asking for another try. */
  readonly failsBy: "throw" | "retry later";
}

const LONGEST_MS = 150;

/** The part of the events that a subscriber fails on at first. */
const FAILING: Readonly<Record<SubscriberName, number>> = {
  mailer: 0.15,
  stockroom: 0.1,
  ledger: 0.05,
  statistics: 0,
};

/** The same in every process and every run of a seed, whoever delivers the event. */
export function workOf(seed: number, event: string, subscriber: SubscriberName): Work {
  const random = randomFrom(seedOf(seed, event, subscriber));
  const ms = whole(random, 0, LONGEST_MS);
  const failures = random() < FAILING[subscriber] ? whole(random, 1, 2) : 0;
  return { ms, failures, failsBy: oneOf(random, ["throw", "retry later"]) };
}
