import { expect } from "chai";
import { PayloadError } from "../../src/errors.ts";
import { stripe } from "../../src/providers/stripe.ts";
import { fixture } from "./fixture.ts";
import { onlyOne } from "./only.ts";

const provider = stripe();
const THIN = "stripe/v1.billing.meter.error_report_triggered.json";
const snapshot = (fields: object = {}) => ({ ...fixture("stripe/charge.refunded.json"), ...fields });
const thin = (fields: object = {}) => ({ ...fixture(THIN), ...fields });

describe("stripe, reading", () => {
  it("reads a snapshot event", () => {
    const event = snapshot({ account: "acct_123", livemode: true });
    const envelope = onlyOne(provider.read(event));
    expect(envelope).to.deep.equal({
      id: "evt_1PgafmB7WZ01zgkWchargeRefd",
      type: "charge.refunded",
      key: "evt_1PgafmB7WZ01zgkWchargeRefd",
      livemode: true,
      created: new Date(1721948530_000),
      account: "acct_123",
      data: fixture("stripe/charge.refunded.json")["data"],
      event,
    });
    expect(envelope.event).to.equal(event);
    expect("fetchRelated" in event).to.equal(false);
  });

  it("reads a thin event", () => {
    const event = thin({ changes: { before: 1 }, context: "acct_123" });
    const envelope = onlyOne(provider.read(event));
    expect(envelope).to.deep.include({
      id: "evt_test_65R2zVmYsfh3mQYmW0L16R2zULSQJ4cTyhvvCvGhDGi",
      key: "evt_test_65R2zVmYsfh3mQYmW0L16R2zULSQJ4cTyhvvCvGhDGi",
      type: "v1.billing.meter.error_report_triggered",
      livemode: false,
      created: new Date("2024-09-17T06:20:52.246Z"),
      account: "acct_123",
      data: { related_object: fixture(THIN)["related_object"], changes: { before: 1 } },
    });
    expect(envelope.event).to.equal(event);
  });

  it("reads every fixture", () => {
    const types = [
      "charge.dispute.created",
      "checkout.session.completed",
      "customer.subscription.updated",
      "plan.created",
    ];
    for (const type of types) expect(onlyOne(provider.read(fixture(`stripe/${type}.json`))).type).to.equal(type);
  });

  it("reads a body that holds nothing but an id", () => {
    const envelope = provider.read({ id: "evt_1" });
    expect(envelope).to.deep.equal({
      id: "evt_1",
      type: undefined,
      key: "evt_1",
      livemode: undefined,
      created: undefined,
      account: undefined,
      data: undefined,
      event: { id: "evt_1" },
    });
    expect(onlyOne(provider.read({ id: "evt_1", object: "event" })).type).to.equal(undefined);
  });

  it("reads types with brackets", () => {
    const type = "v2.core.account[requirements].updated";
    expect(onlyOne(provider.read(thin({ type }))).type).to.equal(type);
  });

  it("leaves out what does not have the form it should have", () => {
    const odd = { livemode: "yes", created: "soon", account: "../acct_1" };
    const { livemode, created, account } = onlyOne(provider.read(snapshot(odd)));
    expect([livemode, created, account]).to.deep.equal([undefined, undefined, undefined]);
  });

  it("refuses what is not an event of Stripe's", () => {
    const message = 'a Stripe event\'s `object` is "event" or "v2.core.event"';
    for (const object of ["charge", "", null, 5, "v2.core.events", "Event", {}]) {
      expect(() => provider.read(snapshot({ object })), String(object)).to.throw(PayloadError, message);
    }
    for (const odd of [null, undefined, [], "evt_1", 5, true]) {
      expect(() => provider.read(odd)).to.throw(PayloadError, "an event is a JSON object");
    }
    expect(() => provider.read({})).to.throw(PayloadError, "the event has no `id`");
    expect(() => provider.read(thin({ id: undefined }))).to.throw(PayloadError, "the event has no `id`");
    for (const type of [null, 5, "", "a\nb"]) {
      expect(() => provider.read(snapshot({ type }))).to.throw(PayloadError, "the event's `type` is not an event type");
      expect(() => provider.read(thin({ type }))).to.throw(PayloadError, "the event's `type` is not an event type");
    }
    expect(() => provider.read(thin({ type: undefined }))).to.throw(PayloadError, "a thin event has a `type`");
  });

  it("is not fooled by a prototype", () => {
    const event = JSON.parse('{"__proto__":{"id":"evt_1","type":"charge.paid"}}');
    expect(() => provider.read(event)).to.throw(PayloadError, "the event has no `id`");
  });
});
