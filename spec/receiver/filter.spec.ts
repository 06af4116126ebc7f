import { expect } from "chai";
import type { DeliveryFacts } from "../../src/bus/context.ts";
import {
  PayloadError,
  ProviderUnavailableError,
  Reject,
  RetryLater,
  StoreUnavailableError,
  UnknownEventError,
} from "../../src/errors.ts";
import {
  anEvent,
  Closing,
  idsOf,
  logOf,
  RECEIVED,
  REFUSED,
  serve,
  stepsOf,
  stripeBus,
  type TestEvent,
} from "./harness.ts";

describe("eventFilter", () => {
  const closing = new Closing();
  afterEach(() => closing.close());

  it("sees a genuine event and what is known of it, before the subscribers do", async () => {
    const bus = stripeBus();
    const seen: unknown[] = [];
    bus.eventFilter = (event, facts) => {
      seen.push(structuredClone(event), facts);
      return event;
    };
    bus.all(() => {
      seen.push("subscriber");
    });
    const wire = closing.add(await serve(bus));
    const event = anEvent({ account: "acct_1" });
    expect(await wire.post(event)).to.include({ status: 401 });
    expect(await wire.deliver(event)).to.include({ status: 200 });
    const facts: DeliveryFacts = {
      bus: "stripe",
      provider: "stripe",
      id: event.id,
      type: "charge.succeeded",
      key: `stripe:${event.id}`,
      verifiedBy: "signature",
      matchedSecret: "signingSecrets",
      livemode: true,
      created: new Date(1_700_000_000_000),
      account: "acct_1",
    };
    expect(seen).to.deep.equal([event, facts, "subscriber"]);
  });

  for (const [title, filter] of [
    ["null", () => null],
    ["a promise of null", async () => null],
  ] as const) {
    it(`ignores by ${title}: 200, and a later delivery may pass`, async () => {
      const bus = stripeBus();
      bus.eventFilter = filter;
      const ids = idsOf(bus);
      const steps = stepsOf(bus, "hookbus.receive");
      const wire = closing.add(await serve(bus));
      const event = anEvent();
      expect(await wire.deliver(event)).to.deep.include({ status: 200, body: RECEIVED });
      expect(ids).to.deep.equal([]);
      expect(steps[0]).to.include({ outcome: "ignored", reason: "filter", id: event.id, type: event.type });
      expect(logOf(bus)).to.deep.equal([]);
      bus.eventFilter = (each) => each;
      expect(await wire.deliver(event)).to.include({ status: 200 });
      expect(ids).to.deep.equal([event.id]);
    });
  }

  const UNDEFINED = "`eventFilter` returned undefined: return the event, or null to ignore it";
  const NO_EVENT = "`eventFilter` returned what is no event: return an object with a `type`, or null";
  const nonsense: [title: string, returned: unknown, message: string][] = [
    ["undefined", undefined, UNDEFINED],
    ["a promise of undefined", Promise.resolve(undefined), UNDEFINED],
    ["true", true, NO_EVENT],
    ["false", false, NO_EVENT],
    ["an id", "evt_1", NO_EVENT],
    ["an object without a type", { id: "evt_1" }, NO_EVENT],
    ["an object with a type that is no text", { id: "evt_1", type: 5 }, NO_EVENT],
    ["a list", [], NO_EVENT],
  ];
  for (const [title, returned, message] of nonsense) {
    it(`is a 500 for ${title}, and nothing is lost`, async () => {
      const bus = stripeBus();
      bus.eventFilter = () => returned as never;
      const ids = idsOf(bus);
      const wire = closing.add(await serve(bus));
      const event = anEvent();
      expect(await wire.deliver(event)).to.deep.include({ status: 500, body: REFUSED });
      expect(logOf(bus)).to.have.length(1);
      expect(logOf(bus)[0]?.fields).to.include({
        status: 500,
        reason: "HOOKBUS_CONFIGURATION",
        id: event.id,
        type: event.type,
        message,
      });
      expect(ids).to.deep.equal([]);
      bus.eventFilter = (each) => each;
      expect(await wire.deliver(event)).to.include({ status: 200 });
      expect(ids).to.deep.equal([event.id]);
    });
  }

  it("puts another event in its place, which is routed by its own type", async () => {
    const bus = stripeBus();
    bus.eventFilter = (event) => ({ ...event, id: "evt_replaced", type: "charge.refunded", extra: 1 });
    const seen: unknown[] = [];
    bus.subscribe("charge.refunded", (event, { id, type, key }) => {
      seen.push(event, { id, type, key });
    });
    bus.subscribe("charge.succeeded", () => {
      seen.push("not this");
    });
    const steps = stepsOf(bus);
    const wire = closing.add(await serve(bus));
    const event = anEvent();
    expect(await wire.deliver(event)).to.include({ status: 200 });
    expect(seen).to.deep.equal([
      { ...event, id: "evt_replaced", type: "charge.refunded", extra: 1 },
      // What makes it a duplicate is the event that was delivered.
      { id: event.id, type: "charge.refunded", key: `stripe:${event.id}` },
    ]);
    expect(await wire.deliver(event)).to.include({ status: 200 });
    expect(seen).to.have.length(2);
    expect(
      steps.filter(({ name }) => name === "hookbus.receive").map(({ outcome, type }) => [outcome, type]),
    ).to.deep.equal([
      ["handled", "charge.succeeded"],
      ["duplicate", "charge.succeeded"],
    ]);
  });

  it("passes on the very event", async () => {
    const bus = stripeBus();
    let filtered: TestEvent | undefined;
    bus.eventFilter = async (event) => {
      filtered = event;
      Object.assign(event, { enriched: true });
      return event;
    };
    const seen: unknown[] = [];
    bus.all((event) => {
      seen.push(event);
    });
    const wire = closing.add(await serve(bus));
    expect(await wire.deliver(anEvent())).to.include({ status: 200 });
    expect(seen[0]).to.equal(filtered);
    expect(seen[0]).to.include({ enriched: true });
  });

  // An error's class must not turn our own fault into the sender's.
  const thrown: [error: unknown, status: number, retryAfter?: string][] = [
    [new Error("marker"), 500],
    ["marker", 500],
    [undefined, 500],
    [new UnknownEventError("no"), 500],
    [new PayloadError("no"), 500],
    [new Reject("no"), 500],
    [new RetryLater(9), 500],
    [new ProviderUnavailableError("down", { retryAfterSeconds: 9 }), 503, "9"],
    [new StoreUnavailableError("down"), 503, "5"],
  ];
  for (const [error, status, retryAfter] of thrown) {
    it(`is a ${status} when it throws ${error instanceof Error ? error.name : String(error)}`, async () => {
      const bus = stripeBus();
      const errors: unknown[] = [];
      const deliveries: unknown[] = [];
      bus.onError = (each, delivery) => {
        errors.push(each);
        deliveries.push(delivery);
      };
      bus.eventFilter = () => Promise.reject(error);
      const ids = idsOf(bus);
      const receipts = stepsOf(bus, "hookbus.receive");
      const wire = closing.add(await serve(bus));
      const event = anEvent();
      const { headers, ...answer } = await wire.deliver(event);
      expect([answer, headers["retry-after"]]).to.deep.equal([{ status, body: REFUSED }, retryAfter]);
      expect(receipts[0]).to.include({ outcome: "failed", id: event.id });
      expect(JSON.stringify(logOf(bus))).not.to.include("marker");
      expect(ids).to.deep.equal([]);
      // Nobody can be told of nothing.
      if (error === undefined) return;
      expect(errors).to.deep.equal([error]);
      expect(deliveries).to.deep.equal([{ bus: "stripe", id: event.id, type: event.type }]);
    });
  }
});
