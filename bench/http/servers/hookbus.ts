import { EventBus } from "../../../dist/index.js";
import { stripe } from "../../../dist/stripe.js";
import { SECRET } from "../../deliveries/delivery.ts";
import { QUIET } from "../../deliveries/receiving.ts";

export const handled = { count: 0 };

/** As an application has it: one subscriber, and everything else as it comes. */
export const bus = new EventBus(stripe(), { name: "bench" });
bus.configure((events) => {
  events.signingSecrets = SECRET;
  events.logger = QUIET;
  events.subscribe("charge.succeeded", async () => {
    handled.count += 1;
  });
});
