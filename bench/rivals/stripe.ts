import { Stripe } from "stripe";
import { type MakeRival, trying } from "./rival.ts";

const { webhooks } = new Stripe("sk_test_bench");

export const stripeSdk: MakeRival = (secrets) => ({
  name: "stripe",
  async: false,
  refusesStale: true,
  take({ body, stripe }) {
    // It takes bytes too, and longer for them.
    const text = body.toString();
    return trying(secrets, (secret) => webhooks.constructEvent(text, stripe, secret));
  },
});
