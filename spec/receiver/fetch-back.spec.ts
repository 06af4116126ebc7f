import { expect } from "chai";
import { RetrievalRefusedError, UnknownEventError } from "../../src/errors.ts";
import { rejectionOf } from "../support/bus.ts";
import { FakeClock, settle } from "../support/clock.ts";
import { type Answering, hangUp, json, StandIn, silence, unknown } from "../support/standin.ts";
import {
  anEvent,
  arrivals,
  type BusSetup,
  bytes,
  Closing,
  fetchingConektaBus,
  fetchingStripeBus,
  idsOf,
  logOf,
  RECEIVED,
  REFUSED,
  type SpecBus,
  serve,
  stepsOf,
  type Wire,
} from "./harness.ts";

interface Sdk {
  readonly brand: "stripe" | "conekta";
  bus(setup: BusSetup): SpecBus;
  /** Where an event is asked for. */
  pathOf(id: string): string;
  readonly authorization: string;
}

const SDKS: readonly Sdk[] = [
  {
    brand: "stripe",
    bus: fetchingStripeBus,
    pathOf: (id) => `/v1/events/${id}`,
    authorization: "Bearer sk_test_spec",
  },
  { brand: "conekta", bus: fetchingConektaBus, pathOf: (id) => `/events/${id}`, authorization: "Bearer key_spec" },
];

const error = { error: { type: "api_error", message: "body-marker" } };

for (const sdk of SDKS) {
  describe(`fetching back from ${sdk.brand}`, () => {
    const closing = new Closing();
    let api: StandIn;
    beforeEach(async () => {
      api = closing.add(await StandIn.start());
    });
    afterEach(() => closing.close());

    const setUp = async (setup: BusSetup = {}): Promise<{ bus: SpecBus; wire: Wire; ids: string[] }> => {
      const bus = sdk.bus({ apiBase: api.apiBase, ...setup });
      return { bus, wire: closing.add(await serve(bus)), ids: idsOf(bus) };
    };

    it("delivers the event that the API has, for a body of nothing but an id", async () => {
      const { bus, wire, ids } = await setUp();
      const steps = stepsOf(bus);
      const event = anEvent();
      api.events.set(event.id, event);
      expect(await wire.post({ id: event.id })).to.deep.include({ status: 200, body: RECEIVED });
      expect(ids).to.deep.equal([event.id]);
      const [call, ...others] = api.calls;
      expect(others).to.deep.equal([]);
      expect(call).to.include({ method: "GET", path: sdk.pathOf(event.id) });
      expect(call?.headers).to.include({ authorization: sdk.authorization });
      expect(steps.map(({ name, outcome }) => [name, outcome])).to.deep.equal([
        ["hookbus.retrieve", "retrieved"],
        ["hookbus.deliver", "handled"],
        ["hookbus.receive", "handled"],
      ]);
      expect(steps[2]).to.include({ id: event.id, type: event.type, verifiedBy: "retrieval" });
      for (const step of steps) expect(step.durationMs).to.be.within(0, 10_000);
    });

    it("believes nothing of the posted body but its id", async () => {
      const { bus, wire } = await setUp();
      const event = anEvent();
      api.events.set(event.id, event);
      const seen: unknown[] = [];
      bus.all((each: unknown, context) => {
        const { id, type, key, livemode, created, verifiedBy, matchedSecret } = context;
        seen.push(structuredClone(each), { id, type, key, livemode, created, verifiedBy, matchedSecret });
      });
      const posted = {
        ...event,
        type: "charge.refunded",
        livemode: false,
        created: 1,
        data: { object: { amount: 1e9 } },
      };
      expect(await wire.post(posted)).to.include({ status: 200 });
      expect(seen).to.deep.equal([
        event,
        {
          id: event.id,
          type: "charge.succeeded",
          key: `${sdk.brand}:${event.id}`,
          livemode: true,
          created: sdk.brand === "stripe" ? new Date(1_700_000_000_000) : undefined,
          verifiedBy: "retrieval",
          matchedSecret: undefined,
        },
      ]);
      // The posted data were other ones, and no conflict.
      expect(await wire.post(event)).to.include({ status: 200 });
      expect(logOf(bus)).to.deep.equal([]);
    });

    const strangers: [title: string, posted: unknown][] = [
      ["missing", {}],
      ["null", { id: null }],
      ["a number", { id: 5 }],
      ["an object", { id: { toString: "evt_1" } }],
      ["an array", { id: ["evt_1"] }],
      ["empty", { id: "" }],
      ["10 KB long", { id: `evt_${"1".repeat(10_240)}` }],
      ["a path upwards", { id: "../customers/x" }],
      ["a path upwards behind a good start", { id: "evt_1/../../customers/x" }],
      ["escaped", { id: "evt_1%2F..%2Fcustomers" }],
      ["with a query", { id: "evt_1?expand[]=data" }],
      ["with a fragment", { id: "evt_1#" }],
      ["with a line end", { id: "evt_1\n" }],
      ["with a header in it", { id: "evt_1\r\nX-A: b" }],
      ["with letters beyond ASCII", { id: "evt_ñ" }],
      ["with a zero byte", { id: "evt_1\u0000" }],
    ];
    for (const [title, posted] of strangers) {
      it(`asks nothing of the API for an id that is ${title}`, async () => {
        const { bus, wire } = await setUp();
        expect(await wire.post(posted)).to.deep.include({ status: 400, body: REFUSED });
        expect(api.calls).to.deep.equal([]);
        expect(logOf(bus)).to.have.length(1);
        expect(logOf(bus)[0]?.fields).to.include({ reason: "HOOKBUS_PAYLOAD", status: 400 });
        expect(logOf(bus)[0]?.fields)
          .to.have.property("message")
          .that.matches(/^the (?:body has no `id` that is a string|`id` is not one of this provider's)$/);
      });
    }

    type Outcome = [status: number, retryAfter: string | undefined, reason: string, message: RegExp];
    const unavailable = (message: RegExp, retryAfter = "5"): Outcome => [
      503,
      retryAfter,
      "HOOKBUS_PROVIDER_UNAVAILABLE",
      message,
    ];
    const refusedKey: Outcome = [500, undefined, "HOOKBUS_RETRIEVAL_REFUSED", /refused to let us fetch the event/];
    const answers: [title: string, answer: Answering, outcome: Outcome][] = [
      ["does not know the id", unknown, [401, undefined, "HOOKBUS_UNKNOWN_EVENT", /knows no event of this id/]],
      ["refuses our key (401)", json(401, error), refusedKey],
      ["refuses our key (403)", json(403, error), refusedKey],
      ["does not understand us (400)", json(400, error), refusedKey],
      ["limits us", json(429, error), unavailable(/answered 429/)],
      ["limits us and says for how long", json(429, error, { "retry-after": "17" }), unavailable(/answered 429/, "17")],
      ["is broken (500)", json(500, error), unavailable(/answered 500/)],
      ["is broken (502, a proxy's page)", json(502, "<html>"), unavailable(/answered 502/)],
      ["is down (503)", json(503, error, { "retry-after": "120" }), unavailable(/answered 503/, "120")],
      ["hangs up", hangUp, unavailable(/could not be reached/)],
      ["never answers", silence, unavailable(/could not be reached|took longer than 400 ms/)],
      ["answers JSON cut short", json(200, '{"id":"evt_'), unavailable(/nonsense/)],
      ["answers with a page", json(200, "<html></html>"), unavailable(/nonsense/)],
      ["answers with a number", json(200, "5"), unavailable(/nonsense/)],
      ["answers with an array", json(200, "[]"), unavailable(/nonsense/)],
      [
        "answers with another event",
        json(200, anEvent()),
        [401, undefined, "HOOKBUS_UNKNOWN_EVENT", /^the retrieved event is not the one that was posted$/],
      ],
      [
        "answers with what is no event",
        json(200, { id: "evt_asked", object: "customer", type: "customer" }),
        [400, undefined, "HOOKBUS_PAYLOAD", /`object` is "event"/],
      ],
      [
        "answers with an event without an id",
        json(200, { object: "event", type: "charge.succeeded" }),
        [400, undefined, "HOOKBUS_PAYLOAD", /the event has no `id`$/],
      ],
      [
        "answers with an event without a type",
        json(200, { id: "evt_asked", object: "event" }),
        [400, undefined, "HOOKBUS_PAYLOAD", /^the event has no `type`$/],
      ],
      [
        "answers with a type that has a line end",
        json(200, { id: "evt_asked", object: "event", type: "charge.succeeded\n" }),
        [400, undefined, "HOOKBUS_PAYLOAD", /^the event's `type` is not an event type$/],
      ],
    ];
    for (const [title, answer, [status, retryAfter, reason, message]] of answers) {
      it(`is a ${status} when the API ${title}`, async () => {
        const { bus, wire, ids } = await setUp(answer === silence ? { retrieval: { timeoutMs: 400 } } : {});
        const errors: unknown[] = [];
        bus.onError = (each) => errors.push(each);
        const retrievals = stepsOf(bus, "hookbus.retrieve");
        const posted = { id: "evt_asked", type: "charge.succeeded", object: "event" };
        api.answer = answer;
        const receipt = await wire.post(posted);
        expect([receipt.status, receipt.headers["retry-after"], receipt.body]).to.deep.equal([
          status,
          retryAfter,
          REFUSED,
        ]);
        // Stripe's SDK makes a second call where the first one's connection was cut.
        expect(new Set(api.calls.map(({ path }) => path))).to.deep.equal(new Set([sdk.pathOf("evt_asked")]));
        expect(api.calls).to.have.length(answer === hangUp && sdk.brand === "stripe" ? 2 : 1);
        expect(ids).to.deep.equal([]);

        // Without a type it is the event that was asked for, and of no use.
        const retrieved = title === "answers with an event without a type";
        expect(retrievals.map(({ outcome }) => outcome)).to.deep.equal([retrieved ? "retrieved" : "failed"]);
        for (const { durationMs } of retrievals) expect(durationMs).to.be.within(0, 20_000);
        const [line, ...others] = logOf(bus);
        expect(others).to.deep.equal([]);
        expect(line).to.include(
          status < 500
            ? { level: "warn", message: `hookbus: delivery refused: ${reason}` }
            : { level: "error", message: "hookbus: delivery failed" },
        );
        expect(line?.fields).to.include({ reason, status });
        expect(line?.fields).to.have.property("message").that.matches(message);
        expect(JSON.stringify(line)).not.to.match(/body-marker|sk_test_spec|key_spec/);
        expect(errors).to.have.length(status < 500 ? 0 : 1);

        // Nothing was remembered of it that a later, good delivery would stumble over.
        if (status < 500) return;
        api.answer = json(200, anEvent({ id: "evt_asked" }));
        expect(await wire.post(posted)).to.include({ status: 200 });
        expect(ids).to.deep.equal(["evt_asked"]);
      });
    }

    it("is a 503 when nobody listens there", async () => {
      const { wire } = await setUp();
      await api.close();
      const { status, headers } = await wire.post({ id: "evt_asked" });
      expect([status, headers["retry-after"]]).to.deep.equal([503, "5"]);
    });

    it("makes one call for one id, however many deliveries of it are in flight", async () => {
      const { bus } = await setUp();
      bus.idempotency = false;
      const ids = idsOf(bus);
      const arrived = arrivals(bus);
      const wire = closing.add(await serve(arrived.endpoint));
      const [event, other] = [anEvent(), anEvent()];
      const held: (() => void)[] = [];
      api.answer = (response, call) => {
        held.push(() => json(200, call.path.endsWith(event.id) ? event : other)(response, call));
      };
      const posts = [event, event, event, other, event, event].map(({ id }) => wire.post({ id }));
      await arrived.count(6);
      await api.called(2);
      await settle();
      expect(api.calls.map(({ path }) => path)).to.have.members([sdk.pathOf(event.id), sdk.pathOf(other.id)]);
      for (const answer of held.splice(0)) answer();
      expect((await Promise.all(posts)).map(({ status }) => status)).to.deep.equal(Array(6).fill(200));
      expect(ids.filter((id) => id === event.id)).to.have.length(5);

      // The next delivery of it is another flight.
      const next = wire.post({ id: event.id });
      await api.called(3);
      held[0]?.();
      expect(await next).to.include({ status: 200 });
    });

    it("asks for an unknown id once in ten seconds", async () => {
      const clock = new FakeClock();
      const { bus, wire, ids } = await setUp({ clock });
      const event = anEvent();
      expect(await wire.post({ id: event.id })).to.include({ status: 401 });
      api.events.set(event.id, event);
      await clock.advance(9_999);
      expect(await wire.post({ id: event.id })).to.include({ status: 401 });
      expect(api.calls).to.have.length(1);
      expect(await wire.post({ id: anEvent().id })).to.include({ status: 401 });
      expect(api.calls).to.have.length(2);
      await clock.advance(1);
      expect(await wire.post({ id: event.id })).to.include({ status: 200 });
      expect(api.calls).to.have.length(3);
      expect(ids).to.deep.equal([event.id]);
      expect(logOf(bus)[0]?.fields).to.include({ reason: "HOOKBUS_UNKNOWN_EVENT" });
    });

    it("says that it did not ask again", async () => {
      const clock = new FakeClock();
      const { bus } = await setUp({ clock, retrieval: { unknownForMs: 1 } });
      expect(await rejectionOf(bus.instrument({ id: "evt_x" }))).to.be.an.instanceOf(UnknownEventError);
      const again = await rejectionOf(bus.instrument({ id: "evt_x" }));
      expect(again).to.be.an.instanceOf(UnknownEventError);
      expect(again).to.include({ message: "the provider did not know this event a moment ago" });
      await clock.advance(1);
      await rejectionOf(bus.instrument({ id: "evt_x" }));
      expect(api.calls).to.have.length(2);
    });

    it("remembers nothing of an id that could not be asked for", async () => {
      const { bus, wire } = await setUp({ clock: new FakeClock() });
      const event = anEvent();
      api.answer = json(401, error);
      expect(await wire.post({ id: event.id })).to.include({ status: 500 });
      expect(await rejectionOf(bus.instrument({ id: event.id }))).to.be.an.instanceOf(RetrievalRefusedError);
      api.events.set(event.id, event);
      expect(await wire.post({ id: event.id })).to.include({ status: 200 });
    });
  });
}

describe("fetching back for a connected account", () => {
  const closing = new Closing();
  let api: StandIn;
  beforeEach(async () => {
    api = closing.add(await StandIn.start());
  });
  afterEach(() => closing.close());

  const rows: [title: string, account: unknown, sent: string | undefined][] = [
    ["an account", "acct_1032D82eZvKYlo2C", "acct_1032D82eZvKYlo2C"],
    ["no account", undefined, undefined],
    ["another object's id", "cus_123", undefined],
    ["a header in it", "acct_1\r\nStripe-Version: 2014-01-31", undefined],
    ["a path", "acct_1/../acct_2", undefined],
    ["a list", ["acct_1"], undefined],
    ["an object", { id: "acct_1" }, undefined],
    ["a kilobyte of it", `acct_${"1".repeat(1024)}`, undefined],
    ["nothing behind its prefix", "acct_", undefined],
  ];
  for (const [title, account, sent] of rows) {
    it(`${sent ? "sends the account" : "sends none"}: ${title}`, async () => {
      const wire = closing.add(await serve(fetchingStripeBus({ apiBase: api.apiBase })));
      const event = anEvent();
      api.events.set(event.id, event);
      expect(await wire.post({ id: event.id, account })).to.include({ status: 200 });
      expect(api.calls.map(({ headers }) => headers["stripe-account"])).to.deep.equal([sent]);
    });
  }

  it("takes 403 for an account that is not ours as an unknown event", async () => {
    const bus = fetchingStripeBus({ apiBase: api.apiBase });
    const wire = closing.add(await serve(bus));
    api.answer = json(403, error);
    expect(await wire.post({ id: anEvent().id, account: "acct_somebodyElse" })).to.include({ status: 401 });
    expect(logOf(bus)[0]?.fields).to.include({
      message: "Stripe does not let us see the account that the body names",
    });
  });

  it("keeps what is known of one account's ids from another's", async () => {
    const wire = closing.add(await serve(fetchingStripeBus({ apiBase: api.apiBase, clock: new FakeClock() })));
    const event = anEvent();
    api.answer = (response, call) =>
      (call.headers["stripe-account"] === "acct_2" ? json(200, event) : unknown)(response, call);
    expect(await wire.post({ id: event.id, account: "acct_1" })).to.include({ status: 401 });
    expect(await wire.post({ id: event.id })).to.include({ status: 401 });
    expect(await wire.post({ id: event.id, account: "acct_2" })).to.include({ status: 200 });
  });

  it("keeps what is known of a thin event's id from a snapshot event's", async () => {
    const wire = closing.add(await serve(fetchingStripeBus({ apiBase: api.apiBase, clock: new FakeClock() })));
    const event = anEvent();
    api.answer = (response, call) => (call.path.startsWith("/v1/") ? json(200, event) : unknown)(response, call);
    expect(await wire.post({ id: event.id, object: "v2.core.event" })).to.include({ status: 401 });
    expect(await wire.post({ id: event.id, object: "event" })).to.include({ status: 200 });
  });

  it("tells two kinds apart by a few letters, however long the body's claim", async () => {
    const wire = closing.add(await serve(fetchingStripeBus({ apiBase: api.apiBase, clock: new FakeClock() })));
    const event = anEvent();
    for (const object of ["x".repeat(32), "x".repeat(1_000), 5, {}]) await wire.post({ id: event.id, object });
    expect(api.calls).to.have.length(2);
    expect(bytes(api.calls.map(({ path }) => path)).toString()).not.to.include("xx");
  });
});
