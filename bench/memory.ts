import { setTimeout as sleep } from "node:timers/promises";
import { EventEmitter } from "eventemitter3";
import { EventBus } from "../dist/index.js";
import { stripe } from "../dist/stripe.js";
import { SECRET, signed } from "./deliveries/delivery.ts";
import { TEMPLATES } from "./deliveries/events.ts";
import { CountingBus } from "./deliveries/receiving.ts";
import type { Bench, Figure, Run } from "./method/figure.ts";
import { median } from "./method/median.ts";

const SUBSCRIBERS = 100_000;
/** What the memory store remembers where nothing else is set. */
const KEYS = 100_000;
/** How many of them come before the others are measured. */
const FIRST = 1_000;
const IN_FLIGHT = 2_000;
const RATE = 2_000;
const SECONDS = 60;

/** What stays in memory, and does it stay? */
export const bench: Bench = {
  seconds: 72,
  async measure(run) {
    const figure = (metric: string, value: number, unit: Figure["unit"]): Figure => ({
      bench: "memory",
      metric,
      value,
      unit,
    });
    const hookbus = subscribers(hookbusSubscribe());
    const emitter = subscribers(emitterSubscribe());
    const flight = await inFlight();
    const { aKey, growth } = await atFullStore(run);
    return [
      figure("a subscriber", hookbus, "B"),
      figure("a listener of eventemitter3", emitter, "B"),
      figure("a delivery in flight", flight, "B"),
      figure("a remembered key", aKey, "B"),
      figure("heap after 60 s / before", growth, "×"),
    ];
  },
};

type Subscribe = (type: string, subscriber: () => void) => unknown;

/** Bytes for each, its closure included. What it returns is dropped, as an application that never ends does. */
function subscribers(subscribe: Subscribe): number {
  const before = alive();
  let called = 0;
  for (let made = 0; made < SUBSCRIBERS; made += 1) {
    subscribe(`charge.type_${made % 1_000}`, () => {
      called += made;
    });
  }
  const bytes = (alive() - before) / SUBSCRIBERS;
  if (called > 0) throw new Error("nothing was to be dispatched");
  kept.push(subscribe);
  return bytes;
}

/** Holds what is measured until all is. */
const kept: unknown[] = [];

function hookbusSubscribe(): Subscribe {
  const bus = new EventBus(stripe(), { name: "subscribers" });
  return (type, subscriber) => void bus.subscribe(type, subscriber);
}

function emitterSubscribe(): Subscribe {
  const emitter = new EventEmitter();
  return (type, subscriber) => void emitter.on(type, subscriber);
}

/** Bytes for each delivery whose subscriber has not finished: the delivery's own are not counted. */
async function inFlight(): Promise<number> {
  const bus = new EventBus(stripe(), { name: "in-flight" });
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  let begun = 0;
  bus.configure((events) => {
    events.signingSecrets = SECRET;
    events.all(() => {
      begun += 1;
      return finished;
    });
  });
  const deliveries = Array.from({ length: IN_FLIGHT }, () => signed(TEMPLATES["3 KB"]));
  const before = alive();
  const receipts = deliveries.map(({ request }) => bus.receive(request));
  while (begun < IN_FLIGHT) await sleep(1);
  const bytes = (alive() - before) / IN_FLIGHT;
  finish();
  for (const { outcome } of await Promise.all(receipts)) if (outcome !== "handled") throw new Error(outcome);
  return bytes;
}

/** Fills the store by whole deliveries, then goes on at an even pace and watches the heap. */
async function atFullStore({ tell }: Run): Promise<{ aKey: number; growth: number }> {
  const counting = new CountingBus("memory");
  const deliver = async (count: number): Promise<void> => {
    for (let done = 0; done < count; done += 1) await counting.bus.receive(signed(TEMPLATES["0.5 KB"]).request);
  };
  // What is allocated once for all keys is no key's.
  await deliver(FIRST);
  const before = alive();
  await deliver(KEYS - FIRST);
  const aKey = (alive() - before) / (KEYS - FIRST);

  tell(`the store is full; ${SECONDS} s at ${RATE}/s`);
  const samples: number[] = [];
  const started = performance.now();
  const step = RATE / 100;
  for (let sent = 0; sent < SECONDS * RATE; sent += step) {
    if (sent % RATE === 0) samples.push(alive());
    await deliver(step);
    const ahead = ((sent + step) / RATE) * 1000 - (performance.now() - started);
    if (ahead > 0) await sleep(ahead);
  }
  const took = (performance.now() - started) / 1000;
  if (took > SECONDS * 1.1) throw new Error(`${RATE}/s were too many: ${SECONDS} s of them took ${took.toFixed(0)} s`);
  const expected = KEYS + SECONDS * RATE;
  if (counting.handled !== expected) throw new Error(`${counting.handled} of ${expected} deliveries were handled`);
  const tenth = Math.ceil(samples.length / 10);
  return { aKey, growth: median(samples.slice(-tenth)) / median(samples.slice(0, tenth)) };
}

/** What is alive, in bytes, on the heap and in arrays that lie outside it. */
function alive(): number {
  if (!gc) throw new Error("the bench needs --expose-gc");
  // The first may only end what V8 has begun by itself, which spares all that was alive at its beginning.
  gc();
  gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
