import { expect } from "chai";
import type { EventParams, RetrieverContext } from "../../src/bus/extension-points.ts";
import {
  ConfigurationError,
  PayloadError,
  ProviderUnavailableError,
  RetrievalRefusedError,
  UnknownEventError,
} from "../../src/errors.ts";
import { conekta } from "../../src/providers/conekta.ts";
import { PRIVATE_PEM, PUBLIC_PEM } from "../providers/keys.ts";
import { plainEventBus, rejectionOf } from "../support/bus.ts";
import { settle } from "../support/clock.ts";
import { json, StandIn, unknown } from "../support/standin.ts";
import {
  anEvent,
  bytes,
  Closing,
  deferred,
  fetchingConektaBus,
  fetchingStripeBus,
  idsOf,
  logOf,
  RECEIVED,
  REFUSED,
  SECRET,
  type SpecBus,
  serve,
  signed,
  stepsOf,
  stripeBus,
  type TestEvent,
} from "./harness.ts";

type Context = RetrieverContext<unknown>;

describe("a retriever of the user's own", () => {
  const closing = new Closing();
  let api: StandIn;
  beforeEach(async () => {
    api = closing.add(await StandIn.start());
  });
  afterEach(() => closing.close());

  it("gets the posted body, the request, and how it was verified", async () => {
    const bus = fetchingStripeBus();
    const event = anEvent();
    const seen: [EventParams, Context][] = [];
    bus.eventRetriever = (params, context) => {
      seen.push([params, context]);
      return event;
    };
    const wire = closing.add(await serve(bus));
    const posted = { id: event.id, any: "thing" };
    expect(await wire.post(posted, { path: "/hooks?tenant=5" })).to.include({ status: 200 });
    bus.signingSecrets = SECRET;
    expect(await wire.deliver(event)).to.include({ status: 200 });

    expect(seen.map(([params]) => params)).to.deep.equal([posted, event]);
    expect(seen.map(([, { verifiedBy }]) => verifiedBy)).to.deep.equal(["nothing", "signature"]);
    const request = seen[0]?.[1].request;
    expect(request).to.include({ method: "POST", url: "/hooks?tenant=5" });
    expect(request?.ip).to.be.oneOf(["127.0.0.1", "::ffff:127.0.0.1"]);
    expect(Buffer.from(request?.body ?? []).toString()).to.equal(JSON.stringify(posted));
  });

  it("has nothing to ask when the signature is wrong", async () => {
    const bus = stripeBus();
    let asked = 0;
    bus.eventRetriever = () => {
      asked += 1;
      return null;
    };
    const wire = closing.add(await serve(bus));
    expect(await wire.post(anEvent())).to.include({ status: 401 });
    expect(asked).to.equal(0);
  });

  it("may use hookbus's own, with another account's key", async () => {
    const bus = fetchingStripeBus({ apiBase: api.apiBase });
    const event = anEvent();
    api.events.set(event.id, event);
    bus.eventRetriever = (params, { retrieve }) =>
      retrieve(params.id, { apiKey: "sk_test_other", account: "acct_other" });
    const ids = idsOf(bus);
    const wire = closing.add(await serve(bus));
    expect(await wire.post({ id: event.id })).to.include({ status: 200 });
    expect(ids).to.deep.equal([event.id]);
    expect(api.calls.map(({ headers }) => [headers.authorization, headers["stripe-account"]])).to.deep.equal([
      ["Bearer sk_test_other", "acct_other"],
    ]);
  });

  it("may name a child company of Conekta's", async () => {
    const bus = fetchingConektaBus({ apiBase: api.apiBase });
    const event = anEvent();
    api.events.set(event.id, event);
    bus.eventRetriever = async (params, { retrieve }) => retrieve(params.id, { account: "company1" });
    const wire = closing.add(await serve(bus));
    expect(await wire.post({ id: event.id })).to.include({ status: 200 });
    expect(api.calls.map(({ headers }) => headers["x-child-company-id"])).to.deep.equal(["company1"]);
  });

  for (const id of [undefined, 5, "", "../customers/x", `evt_${"1".repeat(10_240)}`]) {
    it(`is not asked for the id ${String(JSON.stringify(id)).slice(0, 20)}`, async () => {
      const bus = fetchingStripeBus({ apiBase: api.apiBase });
      let asked = 0;
      bus.eventRetriever = () => {
        asked += 1;
        return null;
      };
      const wire = closing.add(await serve(bus));
      expect(await wire.post({ id })).to.deep.include({ status: 400, body: REFUSED });
      expect(asked).to.equal(0);
      expect(logOf(bus)[0]?.fields).to.include({ message: "the body has no usable `id`" });
    });
  }

  it("is asked for any text that is signed where the provider has no API", async () => {
    const bus = plainEventBus();
    bus.signingSecrets = "secret";
    bus.eventRetriever = ({ id }) => ({ id, type: "a.b" });
    const receive = async (id: string): Promise<number> => {
      const headers = { "signed-by": "signingSecrets" };
      return (await bus.receive({ method: "POST", url: "/", headers, body: bytes({ id, type: "a.b" }) })).status;
    };
    expect(await receive("any thing/at all")).to.equal(200);
    bus.eventRetriever = async ({ id }, { retrieve }) => retrieve(id);
    expect(await receive("x")).to.equal(500);
    expect(logOf(bus).at(-1)?.fields).to.include({ message: "plain has no API to retrieve events from" });
    bus.eventRetriever = () => {
      throw new Error("mine");
    };
    expect(await receive("y")).to.equal(500);
  });

  it("is told the id of what is asked for, and the event itself where it is signed", async () => {
    const bus = fetchingStripeBus();
    const seen: unknown[] = [];
    bus.eventRetriever = (_params, { id, event }) => {
      seen.push([id, event]);
      return null;
    };
    const wire = closing.add(await serve(bus));
    const event = anEvent();
    await wire.post(event);
    bus.signingSecrets = SECRET;
    await wire.deliver(event);
    await bus.instrument(event);
    expect(seen).to.deep.equal([
      [event.id, undefined],
      [event.id, event],
      [event.id, undefined],
    ]);
  });

  it("ignores a delivery by null, and forgets it: the next may run", async () => {
    for (const bus of [fetchingStripeBus(), fetchingConektaBus()]) {
      const ids = idsOf(bus);
      const steps = stepsOf(bus);
      const event = anEvent();
      const answers: unknown[] = [null, Promise.resolve(null), event];
      bus.eventRetriever = () => answers.shift() as never;
      const wire = closing.add(await serve(bus));
      expect(await wire.post(event)).to.deep.include({ status: 200, body: RECEIVED });
      expect(await wire.post(event)).to.deep.include({ status: 200, body: RECEIVED });
      expect(ids).to.deep.equal([]);
      expect(steps.map(({ name, outcome, reason }) => [name, outcome, reason])).to.deep.equal([
        ["hookbus.retrieve", "ignored", undefined],
        ["hookbus.receive", "ignored", "retriever"],
        ["hookbus.retrieve", "ignored", undefined],
        ["hookbus.receive", "ignored", "retriever"],
      ]);
      expect(await wire.post(event)).to.include({ status: 200 });
      expect(ids).to.deep.equal([event.id]);
      expect(logOf(bus)).to.deep.equal([]);
    }
  });

  const id = "evt_asked";
  const outcomes: [title: string, retrieve: () => unknown, status: number, reason: string][] = [
    ["returns undefined", () => undefined, 500, "HOOKBUS_CONFIGURATION"],
    ["resolves to undefined", async () => undefined, 500, "HOOKBUS_CONFIGURATION"],
    ["returns another event", () => anEvent(), 401, "HOOKBUS_UNKNOWN_EVENT"],
    ["returns no event", () => id, 400, "HOOKBUS_PAYLOAD"],
    ["returns an event without a type", () => ({ id }), 400, "HOOKBUS_PAYLOAD"],
    ["returns a type with a line end", () => ({ id, type: "a\nb" }), 400, "HOOKBUS_PAYLOAD"],
    ["throws an error", () => throwing(new Error("body-marker")), 500, "unexpected"],
    ["throws text", () => throwing("body-marker"), 500, "unexpected"],
    ["throws undefined", () => throwing(undefined), 500, "unexpected"],
    ["rejects", async () => throwing(new TypeError("body-marker")), 500, "unexpected"],
    ["never resolves", () => new Promise(() => {}), 503, "HOOKBUS_PROVIDER_UNAVAILABLE"],
    ["throws UnknownEventError", () => throwing(new UnknownEventError("no")), 401, "HOOKBUS_UNKNOWN_EVENT"],
  ];
  for (const make of [fetchingStripeBus, fetchingConektaBus]) {
    for (const [title, retrieve, status, reason] of outcomes) {
      it(`is a ${status} when it ${title} (${make().name})`, async () => {
        const bus = make({ apiBase: api.apiBase, retrieval: { timeoutMs: 30 } });
        bus.eventRetriever = retrieve as () => never;
        await expectOutcome(bus, status, reason);
        expect(api.calls).to.deep.equal([]);
      });
    }
  }

  const sdks: [brand: string, make: typeof fetchingStripeBus, call: () => Promise<unknown>][] = [
    [
      "stripe",
      fetchingStripeBus,
      async () => {
        const { Stripe } = await import("stripe");
        const { hostname: host, port } = new URL(api.apiBase);
        return new Stripe("sk_test_own", { host, port, protocol: "http", maxNetworkRetries: 0 }).events.retrieve(id);
      },
    ],
    [
      "conekta",
      fetchingConektaBus,
      async () => {
        const { Configuration, EventsApi } = await import("conekta");
        return new EventsApi(new Configuration({ accessToken: "key_own", basePath: api.apiBase })).getEvent(id);
      },
    ],
  ];
  for (const [brand, make, call] of sdks) {
    for (const [answered, status, reason] of [
      [404, 401, "HOOKBUS_UNKNOWN_EVENT"],
      [401, 500, "HOOKBUS_RETRIEVAL_REFUSED"],
      [429, 503, "HOOKBUS_PROVIDER_UNAVAILABLE"],
      [500, 503, "HOOKBUS_PROVIDER_UNAVAILABLE"],
    ] as const) {
      it(`is a ${status} when it calls the SDK of ${brand} by itself and that meets a ${answered}`, async () => {
        api.answer = json(answered, { error: { type: "api_error", message: "body-marker" } });
        const bus = make({ apiBase: api.apiBase });
        bus.eventRetriever = call as () => never;
        await expectOutcome(bus, status, reason);
        expect(api.calls).to.have.length(1);
      });
    }
  }

  async function expectOutcome(bus: SpecBus, status: number, reason: string): Promise<void> {
    const ids = idsOf(bus);
    const steps = stepsOf(bus);
    const wire = closing.add(await serve(bus));
    expect(await wire.post({ id })).to.deep.include({ status, body: REFUSED });
    expect(ids).to.deep.equal([]);
    expect(steps.map((step) => step.name).at(-1)).to.equal("hookbus.receive");
    expect(logOf(bus)).to.have.length(1);
    expect(logOf(bus)[0]?.fields).to.include({ status, reason });
    expect(JSON.stringify(logOf(bus))).not.to.include("body-marker");
    // Nothing is kept of it that would stand in the way of the next delivery.
    bus.eventRetriever = () => anEvent({ id });
    expect(await wire.post({ id })).to.include({ status: 200 });
    expect(ids).to.deep.equal([id]);
  }

  it("is told in the log what undefined means", async () => {
    const bus = fetchingStripeBus();
    bus.eventRetriever = () => undefined as never;
    const wire = closing.add(await serve(bus));
    await wire.post({ id });
    expect(logOf(bus)[0]?.fields).to.include({
      error: "ConfigurationError",
      message: "`eventRetriever` returned undefined: return the event, or null to ignore it",
    });
  });

  it("is given its time, and what it says later changes nothing", async () => {
    const bus = fetchingStripeBus({ retrieval: { timeoutMs: 30 } });
    const errors: unknown[] = [];
    bus.onError = (error) => errors.push(error);
    const answer = deferred<TestEvent>();
    bus.eventRetriever = () => answer.promise;
    const ids = idsOf(bus);
    const wire = closing.add(await serve(bus));
    const { status, headers } = await wire.post({ id });
    expect([status, headers["retry-after"]]).to.deep.equal([503, "5"]);
    answer.resolve(anEvent({ id }));
    await settle();
    expect(errors).to.have.length(1);
    expect(errors[0]).to.be.an.instanceOf(ProviderUnavailableError);
    expect(errors[0]).to.include({ message: "retrieval took longer than 30 ms" });
    expect(ids).to.deep.equal([]);
  });
});

describe("an event that ends our access", () => {
  const closing = new Closing();
  let api: StandIn;
  beforeEach(async () => {
    api = closing.add(await StandIn.start());
  });
  afterEach(() => closing.close());

  const deauthorized = (fields = {}): ReturnType<typeof anEvent> =>
    anEvent({ type: "account.application.deauthorized", account: "acct_gone", ...fields });
  const refused = json(403, { error: { type: "invalid_request_error", message: "no access" } });
  const keyless = json(401, { error: { type: "invalid_request_error", message: "no access" } });

  const conektaBus = (): SpecBus => {
    const bus = fetchingConektaBus({ apiBase: api.apiBase });
    bus.webhookKeys = PUBLIC_PEM;
    return bus;
  };
  const signConekta = (event: unknown): Record<string, string> =>
    conekta().sign(bytes(event), { secret: PRIVATE_PEM, setting: "webhookKeys" });

  for (const [title, answer] of [
    ["the API refuses to hand it out (401)", keyless],
    ["the API refuses to hand it out (403)", refused],
    ["the API does not know it", unknown],
  ] as const) {
    it(`is delivered as it was posted when it is signed and ${title}`, async () => {
      api.answer = answer;
      const bus = conektaBus();
      const seen: unknown[] = [];
      bus.all((each, { verifiedBy, type }) => {
        seen.push(each, verifiedBy, type);
      });
      const wire = closing.add(await serve(bus));
      const event = deauthorized();
      expect(await wire.post(event, { headers: signConekta(event) })).to.include({ status: 200 });
      expect(seen).to.deep.equal([event, "signature", event.type]);
      expect(api.calls).to.have.length(1);
    });
  }

  it("is retrieved all the same where it can be", async () => {
    const bus = conektaBus();
    const seen: unknown[] = [];
    bus.all((each) => {
      seen.push(each["data"]);
    });
    const wire = closing.add(await serve(bus));
    const event = deauthorized({ data: { object: { posted: true } } });
    api.events.set(event.id, { ...event, data: { object: { retrieved: true } } });
    expect(await wire.post(event, { headers: signConekta(event) })).to.include({ status: 200 });
    expect(seen).to.deep.equal([{ object: { retrieved: true } }]);
  });

  it("is a 503 while the API is down, signed or not", async () => {
    api.answer = json(500, { error: { message: "down" } });
    const bus = conektaBus();
    const wire = closing.add(await serve(bus));
    const event = deauthorized();
    expect(await wire.post(event, { headers: signConekta(event) })).to.include({ status: 503 });
  });

  it("is not believed without a signature: 401 for an unknown id, 500 for a refused key", async () => {
    const rows = [
      [fetchingStripeBus, unknown, 401],
      [fetchingStripeBus, refused, 401], // the body names an account, which may be anybody's
      [fetchingStripeBus, keyless, 500],
      [fetchingConektaBus, unknown, 401],
      [fetchingConektaBus, refused, 500],
    ] as const;
    for (const [make, answer, status] of rows) {
      api.answer = answer;
      const bus = make({ apiBase: api.apiBase });
      const ids = idsOf(bus);
      const wire = closing.add(await serve(bus));
      expect(await wire.post(deauthorized())).to.deep.include({ status, body: REFUSED });
      expect(ids).to.deep.equal([]);
    }
  });

  it("is no way in for events of other types", async () => {
    api.answer = keyless;
    const bus = conektaBus();
    const ids = idsOf(bus);
    const wire = closing.add(await serve(bus));
    for (const [type, status] of [
      ["charge.paid", 500],
      ["account.application.deauthorized.x", 500],
      ["account.application", 500],
      [undefined, 500],
      [5, 400],
    ] as const) {
      const event = anEvent({ type });
      expect(await wire.post(event, { headers: signConekta(event) })).to.include({ status });
    }
    expect(ids).to.deep.equal([]);
  });

  it("is delivered when a trusted caller hands it over", async () => {
    api.answer = keyless;
    for (const bus of [fetchingStripeBus({ apiBase: api.apiBase }), fetchingConektaBus({ apiBase: api.apiBase })]) {
      const seen: unknown[] = [];
      bus.all((each: unknown, { verifiedBy }) => {
        seen.push(each, verifiedBy);
      });
      const event = deauthorized();
      expect(await bus.instrument(event)).to.deep.equal(event);
      expect(seen).to.deep.equal([event, "nothing"]);
      expect(await rejectionOf(bus.instrument(anEvent()))).to.be.an.instanceOf(RetrievalRefusedError);
    }
    expect(api.calls).to.have.length(4);
  });

  it("is delivered too when a retriever of the user's own cannot get it", async () => {
    const bus = stripeBus();
    bus.eventRetriever = () => throwing(new UnknownEventError("gone"));
    const ids = idsOf(bus);
    const wire = closing.add(await serve(bus));
    const event = deauthorized();
    expect(await wire.post(event, { headers: signed(event) })).to.include({ status: 200 });
    bus.eventRetriever = () => throwing(new Error("mine"));
    const another = deauthorized();
    expect(await wire.post(another, { headers: signed(another) })).to.include({ status: 500 });
    expect(ids).to.deep.equal([event.id]);
  });
});

describe("instrument", () => {
  const closing = new Closing();
  let api: StandIn;
  beforeEach(async () => {
    api = closing.add(await StandIn.start());
  });
  afterEach(() => closing.close());

  it("fetches the event back and tells subscribers all that is known of it", async () => {
    const bus = fetchingStripeBus({ apiBase: api.apiBase });
    const event = anEvent({ account: "acct_1" });
    api.events.set(event.id, event);
    const seen: unknown[] = [];
    bus.subscribe("charge.succeeded", (each, { id, type, key, livemode, created, account, verifiedBy }) => {
      seen.push(each, { id, type, key, livemode, created, account, verifiedBy });
    });
    expect(await bus.instrument({ id: event.id, type: "charge.refunded" })).to.deep.equal(event);
    expect(seen).to.deep.equal([
      event,
      {
        id: event.id,
        type: "charge.succeeded",
        key: `stripe:${event.id}`,
        livemode: true,
        created: new Date(1_700_000_000_000),
        account: "acct_1",
        verifiedBy: "nothing",
      },
    ]);
  });

  it("hands a retriever no request, and is not held up by strangers", async () => {
    const bus = fetchingStripeBus({ apiBase: api.apiBase });
    const event = anEvent();
    const contexts: Context[] = [];
    bus.eventRetriever = (_params, context) => {
      contexts.push(context);
      return event;
    };
    await bus.instrument({ id: event.id });
    expect(contexts.map(({ request, verifiedBy }) => [request, verifiedBy])).to.deep.equal([[undefined, "nothing"]]);
  });

  it("publishes what it is handed where nothing is retrieved", async () => {
    const bus = stripeBus({ apiBase: api.apiBase });
    const ids = idsOf(bus);
    const event = anEvent();
    expect(await bus.instrument(event)).to.equal(event);
    expect(ids).to.deep.equal([event.id]);
    expect(api.calls).to.deep.equal([]);
  });

  it("resolves to null for what the retriever or the filter ignores", async () => {
    const bus = fetchingStripeBus();
    const ids = idsOf(bus);
    bus.eventRetriever = () => null;
    expect(await bus.instrument(anEvent())).to.equal(null);
    bus.eventRetriever = (params) => params as TestEvent;
    bus.eventFilter = () => null;
    expect(await bus.instrument(anEvent())).to.equal(null);
    expect(ids).to.deep.equal([]);
  });

  it("publishes the event that the filter puts in its place, by that event's type", async () => {
    const bus = stripeBus();
    const event = anEvent();
    const other = anEvent({ type: "charge.refunded" });
    bus.eventFilter = () => other;
    const seen: unknown[] = [];
    bus.subscribe("charge.refunded", (each, { type }) => {
      seen.push(each, type);
    });
    bus.subscribe("charge.succeeded", () => throwing(new Error("not this")));
    expect(await bus.instrument(event)).to.equal(other);
    expect(seen).to.deep.equal([other, "charge.refunded"]);
  });

  it("rejects with what went wrong", async () => {
    const bus = fetchingStripeBus({ apiBase: api.apiBase });
    for (const params of [null, undefined, "evt_1"]) {
      const error = await rejectionOf(bus.instrument(params as never));
      expect(error).to.be.an.instanceOf(TypeError).with.property("message", "`params` must be an object");
    }
    expect(await rejectionOf(bus.instrument({ id: "../x" }))).to.be.an.instanceOf(PayloadError);
    expect(await rejectionOf(bus.instrument({ id: "evt_1" }))).to.be.an.instanceOf(UnknownEventError);
    api.events.set("evt_2", { id: "evt_2", object: "event" });
    expect(await rejectionOf(bus.instrument({ id: "evt_2" }))).to.be.an.instanceOf(PayloadError);

    const event = anEvent();
    api.events.set(event.id, event);
    bus.eventFilter = () => undefined as never;
    expect(await rejectionOf(bus.instrument(event))).to.be.an.instanceOf(ConfigurationError);
    bus.eventFilter = (each) => each;
    bus.subscribe("charge.", () => throwing(new Error("mine")), { name: "broken" });
    expect(await rejectionOf(bus.instrument(event)))
      .to.include({ name: "DispatchError" })
      .with.property("message", '1 subscriber(s) of "charge.succeeded" failed: broken');
  });

  it("says that there is no key to retrieve with", async () => {
    const bus = stripeBus({ apiBase: api.apiBase });
    bus.eventRetriever = (params, { retrieve }) => retrieve(params.id);
    const error = await rejectionOf(bus.instrument({ id: "evt_1" }));
    expect(error).to.be.an.instanceOf(ConfigurationError);
    expect(error).to.include({ message: 'the bus "stripe" needs an `apiKey` to retrieve events' });
    expect(api.calls).to.deep.equal([]);
  });
});

function throwing(error: unknown): never {
  throw error;
}
