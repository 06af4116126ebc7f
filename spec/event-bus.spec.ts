import { expect } from "chai";
import { createHub, EventBus } from "../src/index.ts";
import { StripeEvent, stripe } from "../src/stripe.ts";

describe("a slip of the user's", () => {
  it("of spelling is refused: a setting that nobody reads would leave the bus without it", () => {
    const bus = new EventBus(stripe());
    expect(() => Object.assign(bus, { signingSecret: "whsec_1" })).to.throw(TypeError, "signingSecret");
    expect(() => Object.assign(StripeEvent, { apikey: "sk_test_1" })).to.throw(TypeError, "apikey");
  });

  it("leaves subclasses room for fields of their own", () => {
    class CountingBus extends EventBus {
      count = 1;
    }
    expect(new CountingBus(stripe()).count).to.equal(1);
  });

  it("of calling `receive` without a request is a rejection, not an exception", async () => {
    const error = await new EventBus(stripe()).receive(undefined as never).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(TypeError).with.property("message", "`request` must be a WebhookRequest");
  });

  it("of handing a hub a bus and no list is named", () => {
    expect(() => createHub(StripeEvent as never)).to.throw(TypeError, "`buses` must be a list");
  });

  it("of signing without a secret is named", () => {
    expect(() => stripe().sign("{}", {} as never)).to.throw("`secret` must be a string");
  });
});
