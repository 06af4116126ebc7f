import { EventBus } from "../../dist/index.js";
import { stripe } from "../../dist/stripe.js";
import type { Work } from "../method/slice.ts";
import { Counter, counted, EACH, type TypedEvent } from "./count.ts";

/** What is dispatched in between, and how many types are hot. */
export interface Traffic {
  readonly name: string;
  readonly events: readonly TypedEvent[];
  readonly subscribes: boolean;
}

export const ONE_TYPE: Traffic = {
  name: "1 hot type",
  events: [{ id: "evt_1", type: "charge.dispute.created" }],
  subscribes: false,
};

export const TRAFFICS: readonly Traffic[] = [
  ONE_TYPE,
  { name: "32 hot types", events: hot(32), subscribes: false },
  { name: "5,000 hot types", events: hot(5_000), subscribes: false },
  { name: "subscribe in between", events: ONE_TYPE.events, subscribes: true },
];

function hot(count: number): TypedEvent[] {
  return Array.from({ length: count }, (_, place) => ({ id: `evt_${place}`, type: `invoice.hot.type_${place}` }));
}

let made = 0;

/** A bus with `size` subscribers, of which five match each event: by exact types, by prefixes and by `all`, mixed. */
export class Crowd {
  readonly counter = new Counter();
  readonly bus: EventBus;

  constructor(size: number) {
    made += 1;
    this.bus = new EventBus(stripe(), { name: `crowd-${made}` }) as unknown as EventBus;
    const patterns = [
      ...["charge.dispute.created", "charge.dispute.created", "charge.dispute.", "charge."],
      ...["invoice.", "invoice.", "invoice.hot.", "invoice.hot."],
    ];
    this.bus.all(this.counter.another());
    const cold = (place: number): string => `cold.type_${place}${place % 2 ? "." : ""}`;
    for (let place = 1; place < size; place += 1) {
      this.bus.subscribe(patterns[place - 1] ?? cold(place), this.counter.another());
    }
  }

  publishing(name: string, { events, subscribes }: Traffic): Work {
    const { bus, counter } = this;
    let next = 0;
    return counted(name, true, counter, async () => {
      for (let done = 0; done < EACH; done += 1) {
        if (subscribes) bus.subscribe("cold.late", counter.subscriber)();
        if (next === events.length) next = 0;
        await bus.publish(events[next++] as TypedEvent);
      }
    });
  }
}
