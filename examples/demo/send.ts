import { stripe } from "hookbus/stripe";
import { fixture } from "./fixtures.ts";
import { STRIPE_SIGNING_SECRET } from "./keys.ts";

/* Sends one charge, signed for the demo's Stripe endpoint: `npx tsx examples/demo/send.ts [url]`. */

const [url = "http://127.0.0.1:3000/stripe"] = process.argv.slice(2);
// An id of its own, or every event but the first would be a duplicate.
const event = { ...JSON.parse(fixture("stripe/charge.succeeded").toString()), id: `evt_demo_${Date.now()}` };
const body = JSON.stringify(event);
const headers = { "content-type": "application/json", ...stripe().sign(body, { secret: STRIPE_SIGNING_SECRET }) };

try {
  const response = await fetch(url, { method: "POST", headers, body });
  console.log(`${event.type} ${event.id}: ${response.status} ${await response.text()}`);
  process.exitCode = response.ok ? 0 : 1;
} catch {
  console.error(`Nothing answers at ${url}. Start the receiver first: npm start`);
  process.exitCode = 1;
}
