import Stripe from "stripe";
import { stripe } from "../../src/providers/stripe.ts";
import { compare, passes } from "./compare.ts";

const { webhooks } = new Stripe("sk_test_interop");
const secret = "whsec_interop_äöü";

describe("a delivery of Stripe's, and the package stripe", () => {
  compare({
    provider: stripe(),
    secret,
    sign(payload, now) {
      const timestamp = Math.floor(now / 1000);
      return { "stripe-signature": webhooks.generateTestHeaderString({ payload, secret, timestamp }) };
    },
    accepts: (body, fields) => passes(() => webhooks.constructEvent(body, fields["stripe-signature"] ?? "", secret)),
  });
});
