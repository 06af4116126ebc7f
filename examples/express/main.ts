import express from "express";
import { expressHandler } from "hookbus/express";
import { StripeEvent } from "hookbus/stripe";

/* Webhooks in an Express app: `STRIPE_SIGNING_SECRET=whsec_… npx tsx examples/express/main.ts`. */

StripeEvent.configure((events) => {
  events.signingSecrets = process.env["STRIPE_SIGNING_SECRET"];

  events.subscribe("charge.succeeded", ({ data }) => {
    console.log(`charge ${data.object.id}: ${data.object.amount} ${data.object.currency}`);
  });
});

const app = express();
// Before express.json(): the signature covers the raw bytes.
app.post("/webhooks/stripe", expressHandler(StripeEvent));
app.use(express.json());
app.get("/", (_req, res) => {
  res.send("The rest of the app.\n");
});

const server = app.listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1", () => {
  console.log(`listening on ${JSON.stringify(server.address())}`);
});
process.once("SIGTERM", () => server.close());
