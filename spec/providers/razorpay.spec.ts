import { createHash } from "node:crypto";
import { expect } from "chai";
import { ConfigurationError, PayloadError } from "../../src/errors.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { razorpay } from "../../src/providers/razorpay.ts";
import { providerContract } from "./contract.ts";
import { Deliveries, readOf } from "./deliver.ts";
import { fixture } from "./fixture.ts";

const SECRET = "rzp_secret";
const EVENT = fixture("razorpay/payment.captured.json");
const BODY = JSON.stringify(EVENT);
const id = (text: string) => ({ "x-razorpay-event-id": text });

providerContract(razorpay as () => unknown as () => Provider, [
  {
    name: "a payment",
    secret: SECRET,
    otherSecret: "another",
    body: BODY,
    headers: id("evt_1"),
    freshHeaders: id("evt_2"),
  },
]);

describe("razorpay", () => {
  it("says what it is", () => {
    const { name, namespace, delimiter, toleranceSeconds } = razorpay();
    expect({ name, namespace, delimiter, toleranceSeconds }).to.deep.equal({
      name: "razorpay",
      namespace: "razorpay_event",
      delimiter: ".",
      toleranceSeconds: 0,
    });
  });

  it("reads an event, whose id is anybody's", () => {
    expect(readOf(razorpay(), BODY, id("evt_1"))).to.deep.equal({
      id: "evt_1",
      type: "payment.captured",
      key: createHash("sha256").update(BODY).digest("hex"),
      livemode: undefined,
      created: new Date(1_567_674_606_000),
      account: "acc_BFQ7uQEaa7j2z7",
      data: EVENT["payload"],
      event: EVENT,
      unsigned: ["id"],
    });
    expect(() => readOf(razorpay(), BODY)).to.throw(PayloadError, "no `id`");
    expect(() => readOf(razorpay(), '{"event":5}', id("evt_1"))).to.throw(PayloadError, "not an event type");
  });

  it("delivers a body once, under whatever id it comes again", async () => {
    const to = new Deliveries(razorpay(), SECRET);
    expect((await to.post(BODY, id("evt_1"))).outcome).to.equal("handled");
    expect((await to.post(BODY, id("evt_2"))).outcome).to.equal("duplicate");
    expect(to.events).to.deep.equal([EVENT]);
  });

  it("takes no API key for a secret", () => {
    const { bus } = new Deliveries(razorpay(), SECRET);
    for (const key of ["rzp_test_1DP5mmOlF5G5ag", "rzp_live_1"]) {
      expect(() => {
        bus.signingSecrets = key;
      }).to.throw(ConfigurationError, "holds the id of an API key (rzp_…)");
    }
    bus.signingSecrets = ["my_rzp_live_", "rzp_tests"];
  });
});
