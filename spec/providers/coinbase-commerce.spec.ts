import { expect } from "chai";
import { PayloadError } from "../../src/errors.ts";
import { coinbaseCommerce } from "../../src/providers/coinbase-commerce.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { providerContract } from "./contract.ts";
import { Deliveries, readOf } from "./deliver.ts";
import { fixture } from "./fixture.ts";

const SECRET = "cb_secret";
const DELIVERY = fixture("coinbase-commerce/charge.confirmed.json");
const BODY = JSON.stringify(DELIVERY);

providerContract(coinbaseCommerce as () => unknown as () => Provider, [
  { name: "a charge", secret: SECRET, otherSecret: "another", body: BODY },
]);

describe("coinbase-commerce", () => {
  it("says what it is", () => {
    const { name, namespace, delimiter, toleranceSeconds } = coinbaseCommerce();
    expect({ name, namespace, delimiter, toleranceSeconds }).to.deep.equal({
      name: "coinbase-commerce",
      namespace: "coinbase_commerce_event",
      delimiter: ":",
      toleranceSeconds: 0,
    });
  });

  it("reads the event within the delivery", () => {
    const event = DELIVERY["event"] as Record<string, unknown>;
    expect(readOf(coinbaseCommerce(), BODY)).to.deep.equal({
      id: "24934862-d980-46cb-9402-43c81b0cdba6",
      type: "charge:confirmed",
      key: "24934862-d980-46cb-9402-43c81b0cdba6",
      livemode: undefined,
      created: new Date("2026-01-31T20:49:02Z"),
      account: undefined,
      data: event["data"],
      event,
    });
    for (const odd of ["{}", '{"event":"x"}', '{"event":[]}']) {
      expect(() => readOf(coinbaseCommerce(), odd), odd).to.throw(PayloadError, "holds an `event`");
    }
    expect(() => readOf(coinbaseCommerce(), '{"id":"1","event":{"type":"charge:failed"}}')).to.throw(PayloadError);
  });

  it("delivers by segments between colons, and another attempt as a duplicate", async () => {
    const to = new Deliveries(coinbaseCommerce(), SECRET);
    const heard: string[] = [];
    for (const pattern of ["charge", "charge:", "charge:confirmed", "charge:confirm", "char"]) {
      to.bus.subscribe(pattern, () => void heard.push(pattern));
    }
    expect((await to.post(BODY)).outcome).to.equal("handled");
    expect((await to.post(JSON.stringify({ ...DELIVERY, attempt_number: 2 }))).outcome).to.equal("duplicate");
    expect(heard).to.deep.equal(["charge", "charge:", "charge:confirmed"]);
    expect(to.events).to.deep.equal([DELIVERY["event"]]);
  });
});
