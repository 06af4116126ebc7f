import { createHash } from "node:crypto";
import { expect } from "chai";
import { ConfigurationError, PayloadError } from "../../src/errors.ts";
import { lemonsqueezy } from "../../src/providers/lemonsqueezy.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { providerContract } from "./contract.ts";
import { Deliveries, readOf } from "./deliver.ts";
import { fixture } from "./fixture.ts";

const SECRET = "ls_secret";
const EVENT = fixture("lemonsqueezy/order_created.json");
const BODY = JSON.stringify(EVENT);
const HASH = createHash("sha256").update(BODY).digest("hex");

providerContract(lemonsqueezy as () => unknown as () => Provider, [
  {
    name: "an order",
    secret: SECRET,
    otherSecret: "another",
    body: BODY,
    headers: { "x-event-name": "order_created" },
    freshHeaders: { "x-event-name": "order_refunded" },
  },
]);

describe("lemonsqueezy", () => {
  it("says what it is", () => {
    const { name, namespace, delimiter, toleranceSeconds } = lemonsqueezy();
    expect({ name, namespace, delimiter, toleranceSeconds }).to.deep.equal({
      name: "lemonsqueezy",
      namespace: "lemonsqueezy_event",
      delimiter: ".",
      toleranceSeconds: 0,
    });
  });

  it("reads an event under the hash of its body, its type from what is signed", () => {
    expect(readOf(lemonsqueezy(), BODY, { "x-event-name": "order_refunded" })).to.deep.equal({
      id: HASH,
      type: "order_created",
      key: HASH,
      livemode: false,
      created: undefined,
      account: undefined,
      data: EVENT["data"],
      event: EVENT,
    });
    expect(() => lemonsqueezy().read(EVENT)).to.throw(PayloadError, "no key without its delivery");
  });

  it("calls live what is no test", () => {
    const livemode = (meta: unknown) => readOf(lemonsqueezy(), JSON.stringify({ meta })).livemode;
    expect(livemode({ event_name: "order_created", test_mode: false })).to.equal(true);
    expect(livemode({ event_name: "order_created", test_mode: true })).to.equal(false);
    for (const odd of [{}, { test_mode: "false" }, null, 5]) expect(livemode(odd)).to.equal(undefined);
  });

  it("delivers a body once, and another body as another event", async () => {
    const to = new Deliveries(lemonsqueezy(), SECRET);
    expect((await to.post(BODY, { "x-event-name": "order_created" })).outcome).to.equal("handled");
    expect((await to.post(BODY, { "x-event-name": "order_refunded" })).outcome).to.equal("duplicate");
    expect((await to.post(JSON.stringify(EVENT, null, 2))).outcome).to.equal("handled");
    expect((await to.post("{}")).status).to.equal(400);
    expect(to.types).to.deep.equal(["order_created", "order_created"]);
  });

  it("takes no API key for a secret", () => {
    const { bus } = new Deliveries(lemonsqueezy(), SECRET);
    expect(() => {
      bus.signingSecrets = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiI5NGQ1.sig";
    }).to.throw(ConfigurationError, "holds an API key (eyJ…)");
    bus.signingSecrets = ["eyJustASecret", "x.eyJ.y.z"];
  });
});
