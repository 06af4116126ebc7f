import type { Inbox } from "../../../dist/inbox/inbox.js";
import { EventBus } from "../../../dist/index.js";
import { stripe } from "../../../dist/stripe.js";
import { QUIET } from "../../deliveries/receiving.ts";
import type { Engine } from "../worker.ts";

export const CONCURRENCY = 50;

/** A bus with one subscriber that has nothing to do. */
export function deliveringFrom(inbox: Inbox): Engine {
  let finished = (): void => undefined;
  const bus = new EventBus(stripe(), { name: "bench" });
  bus.configure((events) => {
    events.signingSecrets = "whsec_bench";
    events.logger = QUIET;
    events.inbox = inbox;
    events.subscribe("charge.succeeded", async () => finished(), { name: "charges" });
  });
  return {
    async start(call) {
      finished = call;
      const worker = inbox.work(bus, { concurrency: CONCURRENCY });
      return () => worker.close();
    },
  };
}
