import { expect } from "chai";
import type { Step } from "../../src/bus/steps.ts";
import {
  ConfigurationError,
  DispatchError,
  MissingPeerError,
  PayloadError,
  RawBodyUnavailableError,
  RetryLater,
} from "../../src/errors.ts";
import { logSteps } from "../../src/monitoring/logging.ts";
import { PRIVATE_PEM, PUBLIC_PEM } from "../providers/keys.ts";
import {
  anEvent,
  bareConektaBus,
  bytes,
  Closing,
  fetchingConektaBus,
  fetchingStripeBus,
  logOf,
  type SpecBus,
  serve,
  signed,
  stripeBus,
} from "../receiver/harness.ts";
import { revoked, TROUBLES, unhandledOf } from "../receiver/unhandled.ts";
import { Log } from "../support/bus.ts";
import { FakeClock } from "../support/clock.ts";
import { json, StandIn } from "../support/standin.ts";

const RECEIPT: Step = { name: "hookbus.receive", bus: "stripe", provider: "stripe", durationMs: 1, outcome: "handled" };

describe("logSteps", () => {
  let log: Log;
  let clock: FakeClock;
  let write: (step: Step) => void;
  beforeEach(() => {
    log = new Log();
    clock = new FakeClock();
    write = logSteps(
      () => log,
      () => clock.now(),
    );
  });

  const refusal: Step = { ...RECEIPT, outcome: "rejected", status: 401, reason: "bad_signature", hint: "look here" };

  it("says nothing of what goes well", () => {
    write(RECEIPT);
    for (const outcome of ["ignored", "challenge", "queued", "duplicate"]) write({ ...RECEIPT, outcome, id: "evt_1" });
    write({ ...RECEIPT, outcome: "ignored", reason: "filter" });
    write({ ...RECEIPT, outcome: "duplicate", conflict: false });
    write({ ...RECEIPT, name: "hookbus.verify", outcome: "rejected", reason: "bad_signature" });
    write({ ...RECEIPT, name: "hookbus.retrieve", outcome: "failed", error: new Error("x") });
    write({ ...RECEIPT, name: "hookbus.deliver", outcome: "handled", subscriber: "x" });
    expect(log.lines).to.deep.equal([]);
  });

  it("writes a refusal with its reason and hint", () => {
    write(refusal);
    expect(log.lines).to.deep.equal([
      {
        level: "warn",
        message: "hookbus: delivery refused: bad_signature",
        fields: { bus: "stripe", status: 401, reason: "bad_signature", hint: "look here" },
      },
    ]);
  });

  it("writes what hookbus says of a refusal", () => {
    write({ ...refusal, status: 400, reason: "HOOKBUS_PAYLOAD", hint: undefined, error: new PayloadError("no `id`") });
    expect(log.lines[0]?.fields).to.include({
      reason: "HOOKBUS_PAYLOAD",
      error: "PayloadError",
      code: "HOOKBUS_PAYLOAD",
      message: "no `id`",
    });
    expect(log.lines[0]?.fields).not.to.have.property("hint");
  });

  it("writes a failure with the message of hookbus's own errors, which says what to do", () => {
    for (const error of [
      new RawBodyUnavailableError("the body was parsed. Express: remove express.json()"),
      new MissingPeerError("stripe", "Fetching Stripe events"),
      new ConfigurationError("`signingSecrets` is empty"),
      new DispatchError("charge.paid", [{ subscriber: "broken", error: new Error("subscriber-marker") }]),
    ]) {
      write({
        ...RECEIPT,
        outcome: "failed",
        status: 500,
        reason: error.code,
        id: "evt_1",
        type: "charge.paid",
        error,
      });
      const line = log.lines.pop();
      expect(line).to.include({ level: "error", message: "hookbus: delivery failed" });
      const { at, ...fields } = (line?.fields ?? {}) as Record<string, unknown>;
      expect(at).to.be.a("string").that.includes("logging.spec.ts");
      expect(fields).to.deep.equal({
        bus: "stripe",
        status: 500,
        reason: error.code,
        id: "evt_1",
        type: "charge.paid",
        error: error.name,
        code: error.code,
        message: error.message,
      });
      expect(JSON.stringify(fields)).not.to.include("subscriber-marker");
    }
  });

  it("writes of any other failure the class alone", () => {
    for (const error of [new TypeError("message-marker"), "message-marker", { message: "message-marker" }]) {
      write({ ...RECEIPT, outcome: "failed", status: 500, reason: "unexpected", id: "evt_1", error });
      const line = log.lines.pop();
      expect(line?.fields).to.include({ error: error instanceof TypeError ? "TypeError" : typeof error });
      expect(line?.fields).not.to.have.property("message");
      expect(JSON.stringify(line)).not.to.include("message-marker");
    }
    write({ ...RECEIPT, outcome: "failed", status: 500, reason: "unexpected", id: "evt_1" });
    expect(log.lines[0]?.fields).to.deep.equal({ bus: "stripe", status: 500, reason: "unexpected", id: "evt_1" });
  });

  it("writes a subscriber's failure with its name, and never its message, whoever's class it is", () => {
    for (const error of [new Error("subscriber-marker"), new RetryLater(5, "subscriber-marker"), "subscriber-marker"]) {
      write({
        ...RECEIPT,
        name: "hookbus.deliver",
        outcome: "failed",
        subscriber: "audit",
        id: "evt_1",
        type: "charge.paid",
        verifiedBy: "retrieval",
        error,
      });
      const line = log.lines.pop();
      expect(line).to.include({ level: "error", message: 'hookbus: subscriber "audit" failed' });
      expect(line?.fields).to.include({ bus: "stripe", id: "evt_1", type: "charge.paid", verifiedBy: "retrieval" });
      expect(line?.fields).to.have.property("error", error instanceof Error ? error.name : "string");
      expect(line?.fields).not.to.have.any.keys("message", "subscriber");
      expect(JSON.stringify(line)).not.to.include("subscriber-marker");
    }
  });

  it("writes a conflict as a warning, each one", () => {
    for (let i = 0; i < 2; i++) write({ ...RECEIPT, outcome: "duplicate", conflict: true, id: "evt_1" });
    expect(log.lines).to.deep.equal(
      Array(2).fill({
        level: "warn",
        message: "hookbus: duplicate with other data than the first",
        fields: { bus: "stripe", id: "evt_1" },
      }),
    );
  });

  it("writes that an event is busy, for information, and not of each delivery", () => {
    const busy: Step = { ...RECEIPT, outcome: "duplicate", status: 409, reason: "busy", id: "evt_1" };
    for (let i = 0; i < 100; i++) write(busy);
    expect(log.lines).to.deep.equal([
      {
        level: "info",
        message: "hookbus: delivery put off: its event is being handled",
        fields: { bus: "stripe", status: 409, reason: "busy", id: "evt_1" },
      },
    ]);
  });

  it("writes a flood of refusals once in ten seconds for each reason, and counts what it leaves out", async () => {
    const messages = (): unknown[] =>
      log.lines.splice(0).map(({ message, fields }) => [message, (fields as { notLogged?: number }).notLogged]);
    const forgery = "hookbus: delivery refused: bad_signature";
    const old = "hookbus: delivery refused: timestamp_too_old";
    for (let i = 0; i < 10_000; i++) write(refusal);
    write({ ...refusal, reason: "timestamp_too_old" });
    expect(messages()).to.deep.equal([
      [forgery, undefined],
      [old, undefined],
    ]);
    await clock.advance(9_999);
    write(refusal);
    expect(messages()).to.deep.equal([]);
    await clock.advance(1);
    write(refusal);
    write(refusal);
    write({ ...refusal, reason: "timestamp_too_old" });
    expect(messages()).to.deep.equal([
      [forgery, 10_000],
      [old, undefined],
    ]);
    await clock.advance(60_000);
    write(refusal);
    await clock.advance(60_000);
    write(refusal);
    expect(messages()).to.deep.equal([
      [forgery, 1],
      [forgery, undefined],
    ]);
  });

  it("limits failures that anybody can cause, and no others", () => {
    const failure: Step = { ...RECEIPT, outcome: "failed", status: 503, reason: "HOOKBUS_PROVIDER_UNAVAILABLE" };
    for (let i = 0; i < 100; i++) write(failure);
    write({ ...failure, reason: "HOOKBUS_CONFIGURATION" });
    expect(log.lines.map(({ level, message }) => [level, message])).to.deep.equal(
      Array(2).fill(["error", "hookbus: delivery failed"]),
    );
    log.lines.length = 0;
    for (let i = 0; i < 100; i++) write({ ...failure, id: `evt_${i}` });
    expect(log.lines).to.have.length(100);
  });

  it("keeps a refusal and a failure of one reason apart", () => {
    write({ ...refusal, reason: "x" });
    write({ ...refusal, reason: "x", outcome: "failed" });
    expect(log.lines).to.have.length(2);
  });

  const lines: readonly Step[] = [
    refusal,
    { ...RECEIPT, outcome: "failed", status: 500, id: "evt_1" },
    { ...RECEIPT, outcome: "duplicate", reason: "busy" },
    { ...RECEIPT, outcome: "duplicate", conflict: true },
    { ...RECEIPT, name: "hookbus.attempt", outcome: "dead", attempt: 1 },
    { ...RECEIPT, name: "hookbus.attempt", outcome: "failed", attempt: 1 },
    { ...RECEIPT, name: "hookbus.inbox", outcome: "failed", reason: "unexpected" },
    { ...RECEIPT, name: "hookbus.diagnose", outcome: "found", finding: "x" },
    { ...RECEIPT, name: "hookbus.deliver", outcome: "failed", subscriber: "x" },
  ];
  for (const [title, call] of Object.entries(TROUBLES)) {
    it(`loses the line, and nothing else, of a logger that ${title}`, async () => {
      let calls = 0;
      const method = (): unknown => {
        calls += 1;
        return call();
      };
      const broken = { info: method, warn: method, error: method };
      const writing = logSteps(
        () => broken,
        () => clock.now(),
      );
      expect(await unhandledOf(() => lines.forEach(writing))).to.deep.equal([]);
      expect(calls).to.equal(lines.length);
    });
  }

  it("writes of an error that throws when it is asked what kind of thing it is", () => {
    const failures = lines.filter(({ outcome }) => outcome === "failed" || outcome === "dead");
    for (const step of failures) write({ ...step, error: revoked() });
    expect(log.lines).to.have.length(failures.length);
    for (const line of log.lines) expect(line.fields).to.include({ error: "object" }).and.not.have.property("message");
  });

  it("asks for the logger anew, line by line", () => {
    write(refusal);
    const first = log;
    log = new Log();
    write({ ...refusal, reason: "missing_header" });
    expect([first.lines.length, log.lines.length]).to.deep.equal([1, 1]);
  });
});

describe("the log of a bus", () => {
  const closing = new Closing();
  afterEach(() => closing.close());

  it("holds its own lines where several buses share their notifications", async () => {
    const one = stripeBus();
    const two = bareConektaBus({ notifications: one.notifications });
    two.webhookKeys = PUBLIC_PEM;
    await one.receive({ method: "POST", url: "/", headers: {}, body: bytes("{}") });
    expect([logOf(one).length, logOf(two).length]).to.deep.equal([1, 0]);
    await two.receive({ method: "POST", url: "/", headers: {}, body: bytes("{}") });
    expect([logOf(one).length, logOf(two).length]).to.deep.equal([1, 1]);
  });

  it("goes along when the notifications are replaced", async () => {
    const bus = stripeBus();
    const old = bus.notifications;
    bus.notifications = bareConektaBus().notifications;
    await bus.receive({ method: "POST", url: "/", headers: {}, body: bytes("{}") });
    expect(logOf(bus)).to.have.length(1);
    old.emitStep({ ...RECEIPT, outcome: "rejected", reason: "other" });
    expect(logOf(bus)).to.have.length(1);
  });

  it("holds no payload, secret, signature, subscriber's message, header or query", async () => {
    const api = closing.add(await StandIn.start());
    const M = "MARKER";
    const secret = `whsec_${M}`;
    const clock = new FakeClock();
    const now = clock.now();
    const event = (fields: Record<string, unknown> = {}): Record<string, unknown> =>
      anEvent({ data: { object: { card: M } }, request: { idempotency_key: M }, ...fields });
    const buses: SpecBus[] = [];
    const note = (bus: SpecBus): SpecBus => {
      buses.push(bus);
      return bus;
    };
    const signing = (): SpecBus => {
      const bus = note(stripeBus({ clock }));
      bus.signingSecrets = secret;
      return bus;
    };
    const post = async (bus: SpecBus, body: unknown, headers: Record<string, string> = {}): Promise<number> => {
      const wire = closing.add(await serve(bus));
      const all = { "x-custom": M, cookie: `session=${M}`, "user-agent": M, ...headers };
      return (await wire.post(body, { headers: all, path: `/hooks?token=${M}` })).status;
    };
    const sign = (body: unknown): Record<string, string> => signed(body, now, secret);
    const statuses: number[] = [];

    // 401, 405 and 400
    for (const value of [
      undefined,
      M,
      `t=1,v1=${M}`,
      `t=${now},v1=${M}`,
      `t=${now / 1000},v1=${"0".repeat(64)}`,
      M.repeat(999),
    ]) {
      statuses.push(await post(signing(), event(), value === undefined ? {} : { "stripe-signature": value }));
    }
    const gated = signing();
    gated.endpointAuth = { basic: { username: M, password: M } };
    statuses.push(await post(gated, event(), { authorization: `Basic ${M}` }));
    for (const body of [M, `{"${M}"`, `"${M}"`, `["${M}"]`, event({ id: `../${M}` }), event({ type: `${M}\n` })]) {
      statuses.push(await post(signing(), body, sign(body)));
    }
    const conektas = note(bareConektaBus());
    conektas.privateSignature = PRIVATE_PEM;
    statuses.push(await post(conektas, event(), { digest: M }));

    // Subscribers, filters, listeners
    for (const thrown of [
      new Error(M),
      Object.assign(new TypeError(M), { cause: new Error(M), detail: M }),
      new RetryLater(1, M),
      new PayloadError(M),
      M,
      { toString: () => M, message: M },
      new Error(`first line\n    at ${M}`),
      new AggregateError([new Error(M)], M),
      Object.assign(new Error("m"), { name: `name ${M}`, code: `code ${M}` }),
    ]) {
      const bus = signing();
      bus.all(() => Promise.reject(thrown));
      bus.onError = () => {
        throw new Error(M);
      };
      const body = event();
      statuses.push(await post(bus, body, sign(body)));
    }
    const filtering = signing();
    filtering.eventFilter = () => Promise.reject(new Error(M));
    const filteredOut = event();
    statuses.push(await post(filtering, filteredOut, sign(filteredOut)));
    const ofNoEvent = signing();
    ofNoEvent.eventFilter = () => M as never;
    statuses.push(await post(ofNoEvent, filteredOut, sign(filteredOut)));

    // The store
    const storeless = signing();
    storeless.idempotency = {
      ...({} as never as NonNullable<Exclude<SpecBus["idempotency"], false>>),
      volatile: true,
      claim: () => Promise.reject(new Error(`redis://user:${M}@host`)),
      extend: () => {},
      markDone: () => {},
      complete: () => {},
      release: () => {},
    };
    statuses.push(await post(storeless, filteredOut, sign(filteredOut)));

    // A conflict
    const conflicting = signing();
    const twice = event();
    const other = { ...twice, data: { object: { card: `${M}2` } } };
    statuses.push(await post(conflicting, twice, sign(twice)), await post(conflicting, other, sign(other)));

    // Retrieval
    for (const make of [fetchingStripeBus, fetchingConektaBus]) {
      for (const answer of [
        json(404, { error: { message: M } }),
        json(401, { error: { message: M } }),
        json(500, { error: { message: M } }),
        json(200, M),
        json(200, event()),
        json(200, event({ id: "evt_asked", type: `${M} ` })),
      ]) {
        api.answer = answer;
        const bus = note(make({ apiBase: api.apiBase }));
        bus.apiKey = `key_${M}`;
        statuses.push(await post(bus, event({ id: "evt_asked", account: `acct_${M}` })));
        bus.eventRetriever = () => Promise.reject(new Error(M));
        statuses.push(await post(bus, event()));
      }
    }

    const lines = buses.flatMap((bus) => logOf(bus));
    expect(statuses.filter((status) => status === 200)).to.have.length(2);
    expect(lines.length).to.be.at.least(statuses.length - 2);
    for (const line of lines) expect(`${line.message} ${JSON.stringify(line.fields)}`).not.to.include(M);
  });
});
