import { expect } from "chai";
import type { SecretResolver, UnverifiedRequest } from "../../src/bus/secret-resolver.ts";
import { EventBus } from "../../src/event-bus.ts";
import { braintree } from "../../src/providers/braintree.ts";
import type { Handshakes } from "../../src/providers/provider.ts";
import { stripe } from "../../src/providers/stripe.ts";
import type { StripeThinEvent } from "../../src/providers/stripe-events.ts";
import { fixture } from "../providers/fixture.ts";
import { Log, plainEventBus } from "../support/bus.ts";
import { FakeClock } from "../support/clock.ts";
import { json, StandIn } from "../support/standin.ts";
import {
  anEvent,
  bytes,
  Closing,
  fetchingStripeBus,
  idsOf,
  logOf,
  RECEIVED,
  REFUSED,
  SECRET,
  serve,
  signed,
  stepsOf,
  stripeBus,
} from "./harness.ts";

describe("a signed delivery", () => {
  const closing = new Closing();
  afterEach(() => closing.close());

  it("reaches its subscribers with all that is known of it", async () => {
    const bus = stripeBus();
    bus.signingSecrets = [
      { label: "old", secret: "whsec_old" },
      { label: "new", secret: SECRET },
    ];
    const seen: unknown[] = [];
    bus.subscribe(
      "charge.",
      (event, context) => {
        const {
          subscriber,
          bus: name,
          provider,
          id,
          type,
          key,
          verifiedBy,
          matchedSecret,
          livemode,
          created,
          account,
        } = context;
        seen.push(event, {
          subscriber,
          name,
          provider,
          id,
          type,
          key,
          verifiedBy,
          matchedSecret,
          livemode,
          created,
          account,
        });
      },
      { name: "spec" },
    );
    const steps = stepsOf(bus);
    const wire = closing.add(await serve(bus));
    const event = anEvent({ account: "acct_1" });
    expect(await wire.deliver(event)).to.deep.equal({
      status: 200,
      headers: { "content-type": "application/json", "content-length": `${RECEIVED.length}`, connection: "close" },
      body: RECEIVED,
    });
    expect(seen).to.deep.equal([
      event,
      {
        subscriber: "spec",
        name: "stripe",
        provider: "stripe",
        id: event.id,
        type: "charge.succeeded",
        key: `stripe:${event.id}`,
        verifiedBy: "signature",
        matchedSecret: "new",
        livemode: true,
        created: new Date(1_700_000_000_000),
        account: "acct_1",
      },
    ]);
    expect(steps.map(({ durationMs, ...step }) => step)).to.deep.equal([
      { name: "hookbus.verify", bus: "stripe", provider: "stripe", outcome: "verified", matchedSecret: "new" },
      {
        name: "hookbus.deliver",
        bus: "stripe",
        provider: "stripe",
        outcome: "handled",
        id: event.id,
        type: event.type,
        verifiedBy: "signature",
        subscriber: "spec",
      },
      {
        name: "hookbus.receive",
        bus: "stripe",
        provider: "stripe",
        outcome: "handled",
        status: 200,
        reason: undefined,
        hint: undefined,
        error: undefined,
        conflict: undefined,
        id: event.id,
        type: event.type,
        verifiedBy: "signature",
        matchedSecret: "new",
      },
    ]);
    for (const { durationMs } of steps) expect(durationMs).to.be.within(0, 10_000);
    expect(steps[2]?.durationMs).to.be.at.least(steps[0]?.durationMs ?? 0);
  });

  it("is acknowledged when nobody listens", async () => {
    const wire = closing.add(await serve(stripeBus()));
    expect(await wire.deliver(anEvent({ type: "no.such.type" }))).to.include({ status: 200 });
  });

  it("is a 400 without a type or an id", async () => {
    const bus = stripeBus();
    const ids = idsOf(bus);
    const wire = closing.add(await serve(bus));
    for (const fields of [
      { type: undefined },
      { type: "" },
      { type: 5 },
      { type: "charge.succeeded\n" },
      { type: "charge..succeeded" },
      { id: undefined },
      { id: 5 },
      { id: "" },
      { id: "x".repeat(10_240) },
      { id: "../customers/x" },
      { id: "evt_1\n" },
      { object: "charge" },
    ]) {
      expect(await wire.deliver(anEvent(fields)), JSON.stringify(fields)).to.deep.include({
        status: 400,
        body: REFUSED,
      });
    }
    expect(ids).to.deep.equal([]);
  });

  it("is not fetched back by a Stripe bus that has a signing secret", async () => {
    const api = closing.add(await StandIn.start());
    const bus = fetchingStripeBus({ apiBase: api.apiBase });
    bus.signingSecrets = SECRET;
    const ids = idsOf(bus);
    const wire = closing.add(await serve(bus));
    const event = anEvent();
    expect(await wire.deliver(event)).to.include({ status: 200 });
    expect(ids).to.deep.equal([event.id]);
    expect(api.calls).to.deep.equal([]);
  });
});

describe("a thin event of Stripe's", () => {
  const closing = new Closing();
  afterEach(() => closing.close());

  const thin = fixture("stripe/v1.billing.meter.error_report_triggered.json");
  const meter = { id: "mtr_1", object: "billing.meter", status: "active" };

  it("is delivered as the notification that it is, and gets its object by one call", async () => {
    const api = closing.add(await StandIn.start());
    api.answer = json(200, meter);
    const bus = stripeBus({ apiBase: api.apiBase });
    bus.apiKey = "sk_test_spec";
    const seen: unknown[] = [];
    bus.subscribe("v1.billing.meter.", async (event, { id, type, livemode, created }) => {
      expect(api.calls).to.deep.equal([]);
      const related = await (event as unknown as StripeThinEvent).fetchRelated();
      seen.push(event, { id, type, livemode, created }, { ...(related as object) });
    });
    const wire = closing.add(await serve(bus));
    expect(await wire.deliver(thin)).to.include({ status: 200 });
    expect(seen).to.deep.equal([
      thin,
      {
        id: thin["id"],
        type: "v1.billing.meter.error_report_triggered",
        livemode: false,
        created: new Date("2024-09-17T06:20:52.246Z"),
      },
      meter,
    ]);
    expect(api.calls.map(({ method, path }) => [method, path])).to.deep.equal([
      ["GET", (thin["related_object"] as { url: string }).url],
    ]);
    expect(api.calls[0]?.headers.authorization).to.equal("Bearer sk_test_spec");
  });

  it("fails its subscriber where there is no key to fetch with", async () => {
    const api = closing.add(await StandIn.start());
    const bus = stripeBus({ apiBase: api.apiBase });
    bus.all((event) => (event as unknown as StripeThinEvent).fetchRelated());
    const wire = closing.add(await serve(bus));
    expect(await wire.deliver(thin)).to.include({ status: 500 });
    expect(logOf(bus)[0]?.fields).to.include({ error: "ConfigurationError" });
    expect(api.calls).to.deep.equal([]);
  });

  it("is fetched back from where thin events are, without a signing secret", async () => {
    const api = closing.add(await StandIn.start());
    api.events.set(String(thin["id"]), thin);
    const bus = fetchingStripeBus({ apiBase: api.apiBase });
    const ids = idsOf(bus);
    const wire = closing.add(await serve(bus));
    expect(await wire.post({ id: thin["id"], object: "v2.core.event" })).to.include({ status: 200 });
    expect(ids).to.deep.equal([thin["id"]]);
    expect(api.calls.map(({ path }) => path)).to.deep.equal([`/v2/core/events/${String(thin["id"])}`]);
  });
});

describe("a handshake", () => {
  const closing = new Closing();
  afterEach(() => closing.close());

  const handshakes: Handshakes = {
    beforeVerification: ({ url, method }) =>
      url.startsWith("/?challenge=")
        ? { status: 200, headers: { "content-type": "text/plain" }, body: `${method} ${url.slice(12)}` }
        : undefined,
    afterVerification: (payload, { request, key }) => {
      const { challenge } = payload as { challenge?: string };
      return challenge === undefined
        ? undefined
        : { status: 202, headers: { "x-key": key.label, "x-method": request.method }, body: challenge };
    },
  };
  const setUp = async () => {
    const bus = plainEventBus({}, { handshakes, methods: ["POST", "GET"] });
    bus.signingSecrets = ["one", "two"];
    const ids = idsOf(bus);
    return { bus, ids, steps: stepsOf(bus), wire: closing.add(await serve(bus)) };
  };
  const signature = { headers: { "signed-by": "signingSecrets[1]" } };

  it("that comes unsigned is answered before anything is verified, and dispatches nothing", async () => {
    const { ids, steps, wire } = await setUp();
    const { status, headers, body } = await wire.post("", { method: "GET", path: "/?challenge=abc" });
    expect([status, headers["content-type"], body]).to.deep.equal([200, "text/plain", "GET abc"]);
    expect(ids).to.deep.equal([]);
    expect(steps).to.have.length(1);
    expect(steps[0]).to.include({ name: "hookbus.receive", outcome: "challenge", status: 200 });
  });

  it("that comes signed is answered once it is verified, and dispatches nothing", async () => {
    const { ids, steps, wire } = await setUp();
    const { status, headers, body } = await wire.post({ challenge: "xyz" }, signature);
    expect([status, headers["x-key"], headers["x-method"], body]).to.deep.equal([
      202,
      "signingSecrets[1]",
      "POST",
      "xyz",
    ]);
    expect(ids).to.deep.equal([]);
    expect(steps.map(({ name, outcome }) => [name, outcome])).to.deep.equal([
      ["hookbus.verify", "verified"],
      ["hookbus.receive", "challenge"],
    ]);
  });

  it("that should be signed and is not, is refused", async () => {
    const { wire } = await setUp();
    expect(await wire.post({ challenge: "xyz" })).to.deep.include({ status: 401, body: REFUSED });
  });

  it("that should be signed is no handshake where there is nothing to verify with", async () => {
    const { retrieval } = stripe();
    const bus = plainEventBus({}, { handshakes, ...(retrieval && { retrieval }) });
    bus.eventRetriever = () => null;
    const wire = closing.add(await serve(bus));
    expect(await wire.post({ id: "evt_1", challenge: "xyz" })).to.deep.include({ status: 200, body: RECEIVED });
  });

  describe("that comes unsigned, where a function finds the secrets", () => {
    const challenge = (tenant: string) => ({
      method: "GET",
      url: `/${tenant}?bt_challenge=${"5a1b".repeat(6)}`,
      headers: {},
      body: Buffer.alloc(0),
    });
    const braintreeBus = (resolve: SecretResolver) => {
      const bus = new EventBus(braintree());
      bus.logger = new Log();
      const asked: string[] = [];
      const secrets = (request: UnverifiedRequest) => {
        asked.push(`${request.method} ${request.url}`);
        return resolve(request);
      };
      bus.signingSecrets = { resolve: secrets, ttlMs: 0 };
      return { bus, asked };
    };

    it("is answered by the tenant's own secret, which is sought once", async () => {
      const { bus, asked } = braintreeBus(async ({ url }) => (url.startsWith("/b?") ? "public_b:private_b" : null));
      expect(await bus.receive(challenge("b"))).to.include({ status: 200, outcome: "challenge" });
      const { body } = await bus.receive(challenge("b"));
      expect(body).to.match(/^public_b\|[0-9a-f]{40}$/);
      expect(asked).to.have.length(2);
      expect(await bus.receive(challenge("nobody"))).to.include({ status: 401, outcome: "rejected" });
      expect(asked).to.have.length(3);
      const text = "<notification><kind>check</kind><timestamp>2026-11-22T09:13:00Z</timestamp></notification>";
      const form = braintree().signBody(text, { secret: "public_b:private_b" });
      const delivery = { method: "POST", url: "/b?", headers: {}, body: form };
      expect(await bus.receive(delivery)).to.include({ status: 200, outcome: "handled" });
      expect(asked).to.have.length(4);
    });

    it("is answered by no secret that has expired", async () => {
      const label = "old";
      const { bus } = braintreeBus(() => ({ label, secret: "public:private", notAfter: "2001-01-01" }));
      expect(await bus.receive(challenge("a"))).to.include({ status: 500 });
      bus.signingSecrets = { label, secret: "public:private", notAfter: "2001-01-01" };
      expect(await bus.receive(challenge("a"))).to.include({ status: 500 });
    });

    it("is a 503 while secrets cannot be had, and one that needs none is answered all the same", async () => {
      const down = () => Promise.reject(new Error("down"));
      const { bus } = braintreeBus(down);
      expect(await bus.receive(challenge("a"))).to.include({ status: 503 });
      const plain = plainEventBus({}, { handshakes, methods: ["POST", "GET"] });
      plain.signingSecrets = down;
      const request = { method: "GET", url: "/?challenge=abc", headers: {}, body: Buffer.alloc(0) };
      expect(await plain.receive(request)).to.include({ status: 200, outcome: "challenge" });
    });
  });

  it("may be of either kind alone", async () => {
    for (const kind of ["beforeVerification", "afterVerification"] as const) {
      const bus = plainEventBus({}, { handshakes: { [kind]: handshakes[kind] } as Handshakes });
      bus.signingSecrets = "secret";
      const wire = closing.add(await serve(bus));
      const delivery = { headers: { "signed-by": "signingSecrets" } };
      expect(await wire.post({ id: "evt_1", type: "a.b" }, delivery)).to.include({ status: 200 });
    }
  });

  it("comes after the gate of the endpoint", async () => {
    const { bus, wire } = await setUp();
    bus.endpointAuth = { bearer: "token" };
    expect(await wire.post("", { method: "GET", path: "/?challenge=abc" })).to.include({ status: 401 });
    expect(await wire.post("", { method: "PUT", path: "/?challenge=abc" })).to.include({ status: 405 });
  });

  it("leaves deliveries alone", async () => {
    const { ids, wire } = await setUp();
    expect(await wire.post({ id: "evt_1", type: "a.b" }, signature)).to.deep.include({ status: 200, body: RECEIVED });
    expect(ids).to.deep.equal(["evt_1"]);
  });
});

describe("a bus that is not ready", () => {
  const closing = new Closing();
  afterEach(() => closing.close());

  const refusals: [title: string, breakIt: (bus: ReturnType<typeof stripeBus>) => void, message: RegExp][] = [
    [
      "an undefined secret",
      (bus) => {
        bus.signingSecrets = undefined;
      },
      /^`signingSecrets` of the bus "stripe" was set to undefined: is its environment variable set\? Leave the line out where the setting is not used$/,
    ],
    [
      "an undefined endpointAuth, though it has a secret",
      (bus) => {
        bus.endpointAuth = undefined;
      },
      /^`endpointAuth` .* was set to undefined/,
    ],
    [
      "a tolerance of nothing",
      (bus) => {
        bus.tolerance = 0;
      },
      /^`tolerance` must be a number of seconds above zero/,
    ],
    [
      "a setting of another provider",
      (bus) => {
        bus.webhookKeys = "x";
      },
      /^`webhookKeys` means nothing to stripe/,
    ],
  ];
  for (const [title, breakIt, message] of refusals) {
    it(`answers 500 and loses nothing: ${title}`, async () => {
      const bus = stripeBus();
      const ids = idsOf(bus);
      const errors: unknown[] = [];
      bus.onError = (error) => errors.push(error);
      expect(() => breakIt(bus)).to.throw(message);
      const wire = closing.add(await serve(bus));
      const event = anEvent();
      expect(await wire.deliver(event)).to.deep.include({ status: 500, body: REFUSED });
      expect(ids).to.deep.equal([]);
      expect(errors).to.have.length(1);
      const line = logOf(bus).find(({ message: each }) => each === "hookbus: delivery failed");
      expect(line?.level).to.equal("error");
      expect(line?.fields).to.include({ status: 500, reason: "HOOKBUS_CONFIGURATION", error: "ConfigurationError" });
      expect(line?.fields).to.have.property("message").that.matches(message);
    });
  }

  it("runs the same delivery once its settings are mended", async () => {
    const bus = plainEventBus();
    const wire = closing.add(await serve(bus));
    const ids = idsOf(bus);
    const post = () => wire.post({ id: "evt_1", type: "a.b" }, { headers: { "signed-by": "signingSecrets" } });
    expect(await post()).to.deep.include({ status: 500, body: REFUSED });
    expect(logOf(bus).at(-1)?.fields).to.include({
      message: 'the bus "plain" cannot authenticate deliveries: set `signingSecrets` or `privateSignature`',
    });
    expect(() =>
      bus.configure((each) => {
        each.signingSecrets = "";
      }),
    ).to.throw();
    expect(await post()).to.include({ status: 500 });
    bus.configure((each) => {
      each.signingSecrets = "secret";
    });
    expect(await post()).to.deep.include({ status: 200, body: RECEIVED });
    expect(await post()).to.deep.include({ status: 200, body: RECEIVED });
    expect(ids).to.deep.equal(["evt_1"]);
  });

  it("answers 500 when it was configured too late, by a promise", async () => {
    const bus = plainEventBus();
    const wire = closing.add(await serve(bus));
    let go: () => void = () => {};
    const gone = new Promise<void>((resolve) => {
      go = resolve;
    });
    const late = async (each: typeof bus): Promise<void> => {
      await gone;
      each.signingSecrets = "secret";
    };
    expect(() => bus.configure(late as (each: typeof bus) => unknown as (each: typeof bus) => void)).to.throw(
      TypeError,
      /must not be async/,
    );
    const post = () => wire.post({ id: "evt_1", type: "a.b" }, { headers: { "signed-by": "signingSecrets" } });
    expect(await post()).to.include({ status: 500 });
    go();
  });

  it("says so before it looks at the request", async () => {
    const bus = plainEventBus();
    const unread = (): never => {
      throw new Error("read");
    };
    expect(await bus.respond({ method: "GET", url: "/", headers: {} }, unread)).to.include({ status: 500 });
  });

  it("answers everybody, and logs once in ten seconds", async () => {
    const clock = new FakeClock();
    const bus = plainEventBus({ clock });
    const receive = () => bus.receive({ method: "POST", url: "/", headers: {}, body: bytes("{}") });
    for (let i = 0; i < 50; i++) expect(await receive()).to.include({ status: 500 });
    expect(logOf(bus)).to.have.length(1);
    await clock.advance(10_000);
    await receive();
    expect(logOf(bus)[1]?.fields).to.include({ notLogged: 49 });
  });
});

describe("receive", () => {
  const request = (body: unknown) => ({
    method: "POST",
    url: "/",
    headers: signed(body as Buffer),
    body: body as Buffer,
  });

  it("takes a body of exactly maxBodyBytes, and not a byte more", async () => {
    const body = bytes(anEvent());
    const bus = stripeBus();
    bus.maxBodyBytes = body.byteLength;
    expect(await bus.receive(request(body))).to.include({ status: 200, outcome: "handled" });
    bus.maxBodyBytes = body.byteLength - 1;
    expect(await bus.receive(request(body))).to.deep.equal({
      status: 413,
      headers: { "content-type": "application/json" },
      body: REFUSED,
      outcome: "rejected",
    });
    expect(logOf(bus)[0]?.fields).to.include({
      reason: "HOOKBUS_BODY_TOO_LARGE",
      message: `the body is larger than ${body.byteLength - 1} bytes`,
    });
  });

  for (const [title, body] of [
    ["text", JSON.stringify(anEvent())],
    ["an object", anEvent()],
    ["undefined", undefined],
    ["an ArrayBuffer", new ArrayBuffer(2)],
  ] as const) {
    it(`says what the body must be: not ${title}`, async () => {
      const bus = stripeBus();
      const receipt = await bus.receive({ method: "POST", url: "/", headers: {}, body: body as never });
      expect(receipt).to.include({ status: 500, outcome: "failed", body: REFUSED });
      expect(logOf(bus)[0]?.fields).to.include({
        reason: "HOOKBUS_RAW_BODY_UNAVAILABLE",
        message: "`body` must be the raw bytes as a Uint8Array or Buffer, not a parsed body",
      });
    });
  }

  it("takes a plain Uint8Array", async () => {
    const body = new Uint8Array(bytes(anEvent()));
    expect(await stripeBus().receive(request(body))).to.include({ status: 200 });
  });

  it("never rejects, whatever it is handed", async () => {
    const bus = stripeBus();
    const body = bytes("{}");
    for (const broken of [{ body }, { method: "POST", body }, { method: "POST", url: "/", headers: null, body }]) {
      expect((await bus.receive(broken as never)).status).to.be.oneOf([405, 500]);
    }
  });
});
