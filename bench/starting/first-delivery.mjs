import { createHmac } from "node:crypto";
import { StripeEvent } from "../../dist/stripe.js";

/*
 * What a function does that a provider's delivery wakes: it sets the bus up and takes one. Plain JavaScript, because a
 * loader for TypeScript would be most of the start.
 */
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
let handled = 0;
StripeEvent.configure((events) => {
  events.signingSecrets = secret;
  events.subscribe("charge.succeeded", async () => {
    handled += 1;
  });
});

const body = Buffer.from(
  JSON.stringify({ id: "evt_1", object: "event", type: "charge.succeeded", data: { object: { id: "ch_1" } } }),
);
const seconds = Math.floor(Date.now() / 1000);
const signature = createHmac("sha256", secret).update(`${seconds}.`).update(body).digest("hex");
const { status } = await StripeEvent.receive({
  method: "POST",
  url: "/stripe",
  headers: { "stripe-signature": `t=${seconds},v1=${signature}` },
  body,
});
if (status !== 200 || handled !== 1) throw new Error(`the first delivery was answered ${status}`);
