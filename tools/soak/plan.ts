import type { Options } from "./options.ts";
import { oneOf, type Random, randomFrom, seedOf, shuffled, whole } from "./random.ts";

export const RECEIVERS = 2;
export const WORKERS = 3;

/** How long a worker holds a record without a heartbeat, in milliseconds. */
export const LEASE_MS = 3_000;

export interface PlannedEvent {
  readonly id: string;
  readonly body: string;
}

/** A process, by what it does and its number among those that do the same. */
export interface Slot {
  readonly role: "receiver" | "worker";
  readonly index: number;
}

/**
 * Something that befalls a process once so many deliveries have been acknowledged: as soon after that as it is felt. See
 * `Blows`.
 */
export type Blow = What & { readonly afterAcks: number };

type What =
  | { readonly kind: "kill"; readonly target: Slot }
  | { readonly kind: "freeze"; readonly target: Slot; readonly ms: number }
  /** Of an inbox whose server belongs to the soak: that server. */
  | { readonly kind: "kill server" };

/** All that will happen, as far as a seed can say. */
export interface Plan {
  readonly events: readonly PlannedEvent[];
  /** The deliveries in the order in which they are sent: an event that is here twice is a duplicate. */
  readonly deliveries: readonly PlannedEvent[];
  /** By their moments. */
  readonly blows: readonly Blow[];
}

export function planOf({ inbox, events: count, kills, seed }: Options): Plan {
  const events = eventsOf(count, randomFrom(seedOf(seed, "events")));
  const deliveries = deliveriesOf(events, randomFrom(seedOf(seed, "deliveries")));
  const blows = blowsOf(inbox === "redis", kills, deliveries.length, randomFrom(seedOf(seed, "blows")));
  return { events, deliveries, blows };
}

/** The receiver that gets the try number `attempt` of a delivery. A retry goes elsewhere, as behind a load balancer. */
export function receiverFor(seed: number, delivery: number, attempt: number): number {
  return (seedOf(seed, "receiver", delivery) + attempt) % RECEIVERS;
}

const TYPES = ["charge.succeeded", "charge.refunded", "invoice.paid", "payout.paid"] as const;

function eventsOf(count: number, random: Random): PlannedEvent[] {
  return Array.from({ length: count }, (_, index) => {
    const id = `evt_soak${index}x${whole(random, 0, 0xffff_ffff).toString(36)}`;
    const object = { id: `ch_${index}`, object: "charge", amount: whole(random, 50, 99_999) };
    const note = "n".repeat(whole(random, 0, 1_500));
    const event = { id, object: "event", type: oneOf(random, TYPES), livemode: true, created: 1_700_000_000 + index };
    return { id, body: JSON.stringify({ ...event, data: { object: { ...object, note } } }) };
  });
}

/** Every event, somewhat out of order; one in five a second time at once, and one in five much later. */
function deliveriesOf(events: readonly PlannedEvent[], random: Random): PlannedEvent[] {
  const placed: { readonly event: PlannedEvent; readonly place: number }[] = [];
  for (const [index, event] of events.entries()) {
    const place = index + random() * 8;
    placed.push({ event, place });
    if (random() < 0.2) placed.push({ event, place });
    if (random() < 0.2) placed.push({ event, place: place + whole(random, 20, 400) });
  }
  return placed.sort((one, other) => one.place - other.place).map(({ event }) => event);
}

function blowsOf(ownServer: boolean, kills: number, acks: number, random: Random): Blow[] {
  const blows: What[] = shares(ownServer, kills).map((victim) =>
    victim === "server" ? { kind: "kill server" } : { kind: "kill", target: slot(victim, random) },
  );
  for (const role of freezes(kills)) {
    const ms = Math.round(LEASE_MS * (1.4 + random() * 0.6));
    blows.push({ kind: "freeze", target: slot(role, random), ms });
  }
  // Each in its own part of the run: not before the first few are at work, and early enough that all of them come.
  const [first, part] = [acks * 0.03, (acks * 0.9) / blows.length];
  return shuffled(random, blows).map((blow, index) => ({
    ...blow,
    afterAcks: Math.max(1, Math.floor(first + (index + random()) * part)),
  }));
}

/** Whom the kills hit: each kind its share, however few there are. */
function shares(ownServer: boolean, kills: number): readonly ("receiver" | "worker" | "server")[] {
  const round = ownServer
    ? (["worker", "receiver", "server", "worker", "receiver"] as const)
    : (["worker", "receiver"] as const);
  return Array.from({ length: kills }, (_, index) => round[index % round.length] ?? "worker");
}

/** Freezes come on top of the kills, one for every two: most of workers, whose leases run out meanwhile. */
function freezes(kills: number): readonly Slot["role"][] {
  return Array.from({ length: Math.ceil(kills / 2) }, (_, index) => (index % 4 === 3 ? "receiver" : "worker"));
}

function slot(role: Slot["role"], random: Random): Slot {
  return { role, index: whole(random, 0, (role === "receiver" ? RECEIVERS : WORKERS) - 1) };
}
