import { Stripe } from "stripe";
import { SECRET } from "../../deliveries/delivery.ts";

export const handled = { count: 0 };

const { webhooks } = new Stripe("sk_test_bench");

/** What Stripe's own examples do with a body; says whether it was good. */
export function constructed(body: string | Buffer, signature: string | string[] | undefined): boolean {
  try {
    const event = webhooks.constructEvent(body, signature ?? "", SECRET);
    if (event.type === "charge.succeeded") handled.count += 1;
    return true;
  } catch {
    return false;
  }
}
