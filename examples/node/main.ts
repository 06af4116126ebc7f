import { createServer } from "node:http";
import { createHub } from "hookbus";
import { ConektaEvent } from "hookbus/conekta";
import { nodeHandler } from "hookbus/node";
import { StripeEvent } from "hookbus/stripe";

/*
 * Webhooks of two providers on a plain node:http server:
 * `STRIPE_SIGNING_SECRET=whsec_… CONEKTA_WEBHOOK_KEY="$(cat key.pem)" npx tsx examples/node/main.ts`.
 */

StripeEvent.configure((events) => {
  events.signingSecrets = process.env["STRIPE_SIGNING_SECRET"];
  events.subscribe("charge.succeeded", ({ data }) => console.log(`Stripe charge ${data.object.id}`));
});

ConektaEvent.configure((events) => {
  events.webhookKeys = process.env["CONEKTA_WEBHOOK_KEY"];
  events.subscribe("order.paid", ({ id }) => console.log(`Conekta order paid, event ${id}`));
});

// POST /webhooks/stripe, POST /webhooks/conekta, GET /webhooks/health
const hub = createHub([StripeEvent, ConektaEvent], { prefix: "/webhooks" });

const server = createServer(nodeHandler(hub)).listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1", () => {
  console.log(`listening on ${JSON.stringify(server.address())}`);
});
process.once("SIGTERM", () => server.close());
