import { fetchHandler } from "hookbus/fetch";
import { StripeEvent } from "hookbus/stripe";

/*
 * Webhooks where a framework wants a function from Request to Response: the whole of a route file, such as
 * `app/webhooks/stripe/route.ts` in Next.js. The process needs STRIPE_SIGNING_SECRET.
 */

StripeEvent.configure((events) => {
  events.signingSecrets = process.env["STRIPE_SIGNING_SECRET"];
  events.subscribe("charge.succeeded", ({ data }) => console.log(`charge ${data.object.id}`));
});

export const POST = fetchHandler(StripeEvent);
