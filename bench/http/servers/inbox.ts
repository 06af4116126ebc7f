import { createServer, type Server } from "node:http";
import { nodeHandler } from "../../../dist/adapters/node.js";
import type { Inbox } from "../../../dist/inbox/inbox.js";
import { EventBus } from "../../../dist/index.js";
import { stripe } from "../../../dist/stripe.js";
import { SECRET } from "../../deliveries/delivery.ts";
import { QUIET } from "../../deliveries/receiving.ts";

export const handled = { count: 0 };

/** Accepts into an inbox that no worker empties. */
export function accepting(inbox: Inbox): Server {
  const bus = new EventBus(stripe(), { name: "bench" });
  bus.configure((events) => {
    events.signingSecrets = SECRET;
    events.logger = QUIET;
    events.inbox = inbox;
    events.subscribe("charge.succeeded", async () => undefined, { name: "charges" });
  });
  bus.notifications.subscribe("hookbus.receive", ({ outcome }) => {
    if (outcome === "queued") handled.count += 1;
  });
  return createServer(nodeHandler(bus, { path: "/stripe" }));
}
