import { expect } from "chai";
import { EventBus } from "../../src/index.ts";
import { StripeEvent, stripe } from "../../src/stripe.ts";

describe("the provider of a bus", () => {
  it("must be one", () => {
    for (const provider of [undefined, null, {}, stripe, StripeEvent]) {
      expect(() => new EventBus(provider as never)).to.throw(
        TypeError,
        "`provider` must be a provider, such as stripe()",
      );
    }
  });
});
