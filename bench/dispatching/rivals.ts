import { Webhooks } from "@octokit/webhooks";
import Emittery from "emittery";
import { EventEmitter } from "eventemitter3";
import type { Work } from "../method/slice.ts";
import { Counter, counted, EACH, MATCHING, type TypedEvent } from "./count.ts";

const EVENT: TypedEvent = { id: "evt_1", type: "charge.dispute.created" };

/** The floor: a list of five, called one after the other. */
export function direct(): Work {
  const counter = new Counter();
  const five: ((event: TypedEvent) => void)[] = Array.from({ length: MATCHING }, () => counter.another());
  return counted("floor", false, counter, () => {
    for (let done = 0; done < EACH; done += 1) for (const subscriber of five) subscriber(EVENT);
  });
}

/** Exact names only. */
export function eventemitter3(size: number): Work {
  const counter = new Counter();
  const emitter = new EventEmitter();
  for (let place = 0; place < size; place += 1) {
    emitter.on(place < MATCHING ? EVENT.type : `cold.type_${place}`, counter.another());
  }
  return counted("eventemitter3", false, counter, () => {
    for (let done = 0; done < EACH; done += 1) emitter.emit(EVENT.type, EVENT);
  });
}

/** Exact names only. */
export function emittery(size: number): Work {
  const counter = new Counter();
  const emitter = new Emittery();
  for (let place = 0; place < size; place += 1) {
    emitter.on(place < MATCHING ? EVENT.type : `cold.type_${place}`, counter.another());
  }
  return counted("emittery", true, counter, async () => {
    for (let done = 0; done < EACH; done += 1) await emitter.emit(EVENT.type, EVENT);
  });
}

/** Two by the event and its action, two by the event, one by `onAny`. */
export function octokit(size: number): Work {
  const counter = new Counter();
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const webhooks = new Webhooks({ secret: "bench", log: silent });
  const names = ["issues.opened", "issues.opened", "issues", "issues"] as const;
  webhooks.onAny(counter.another());
  for (let place = 1; place < size; place += 1) {
    // It warns of names that GitHub does not have, and takes them.
    webhooks.on(names[place - 1] ?? (`cold.type_${place}` as "issues"), counter.another());
  }
  const event = { id: "evt_1", name: "issues", payload: { action: "opened" } } as unknown as Received;
  return counted("@octokit/webhooks", true, counter, async () => {
    for (let done = 0; done < EACH; done += 1) await webhooks.receive(event);
  });
}

type Received = Parameters<Webhooks["receive"]>[0];
