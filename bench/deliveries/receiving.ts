import { EventBus, Notifications } from "../../dist/index.js";
import { stripe } from "../../dist/stripe.js";
import type { Work } from "../method/slice.ts";
import { type Delivery, SECRET } from "./delivery.ts";
import type { Pool } from "./pool.ts";

/** What a bus that is measured says of itself: nothing. */
export const QUIET = { info() {}, warn() {}, error() {} };

/** A bus for Stripe with one async subscriber, which counts. */
export class CountingBus {
  readonly bus: EventBus;
  handled = 0;

  constructor(name: string, secrets: readonly string[] = [SECRET], notifications = new Notifications()) {
    this.bus = new EventBus(stripe(), { name, notifications }) as unknown as EventBus;
    this.bus.configure((events) => {
      events.signingSecrets = secrets;
      events.logger = QUIET;
      events.all(async () => {
        this.handled += 1;
      });
    });
  }
}

/** The whole of `receive()`, timed; every delivery is a new one, and every event must have reached the subscriber. */
export function receiving(counting: CountingBus, pool: Pool): Work {
  const { bus } = counting;
  return {
    name: "hookbus",
    async: true,
    before(calls) {
      pool.renew(calls);
      counting.handled = 0;
    },
    one: () => bus.receive(pool.next().request),
    after(calls) {
      if (counting.handled !== calls) throw new Error(`hookbus handled ${counting.handled} of ${calls} deliveries`);
    },
  };
}

/** The whole of `receive()`, timed while it refuses: no delivery may come to anything else. */
export function rejecting({ bus }: CountingBus, pool: Pool): Work {
  let rejected = 0;
  const count = ({ outcome }: { readonly outcome: string }): void => {
    if (outcome === "rejected") rejected += 1;
  };
  return {
    name: "hookbus",
    async: true,
    before() {
      rejected = 0;
    },
    one: () => bus.receive(pool.next().request).then(count),
    after(calls) {
      if (rejected !== calls) throw new Error(`hookbus rejected ${rejected} of ${calls} bad deliveries`);
    },
  };
}

/** Throws unless the bus does what it is timed at. */
export async function assertReceives({ bus }: CountingBus, good: Delivery, forged: Delivery): Promise<void> {
  const outcomes: string[] = [];
  for (const { request } of [good, good, forged]) outcomes.push((await bus.receive(request)).outcome);
  if (outcomes.join() !== "handled,duplicate,rejected") throw new Error(`hookbus came to ${outcomes.join()}`);
}
