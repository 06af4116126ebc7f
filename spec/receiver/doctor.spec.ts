import { once } from "node:events";
import { createServer, request as httpRequest, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { nodeHandler } from "../../src/adapters/node.ts";
import type { Bus } from "../../src/bus/bus.ts";
import { otherHolders } from "../../src/bus/credentials.ts";
import type { Step } from "../../src/bus/steps.ts";
import { EventBus } from "../../src/event-bus.ts";
import { clerk } from "../../src/providers/clerk.ts";
import { conekta } from "../../src/providers/conekta.ts";
import { github } from "../../src/providers/github.ts";
import type { EventMap, Provider, WebhookRequest } from "../../src/providers/provider.ts";
import { square } from "../../src/providers/square.ts";
import { stripe } from "../../src/providers/stripe.ts";
import { svix } from "../../src/providers/svix.ts";
import { twilio } from "../../src/providers/twilio.ts";
import { otherBodies } from "../../src/receiver/doctor/bodies.ts";
import { otherUrls } from "../../src/receiver/doctor/urls.ts";
import { Doctor } from "../../src/receiver/doctor.ts";
import type { Receipt } from "../../src/receiver/receipt.ts";
import { OTHER, PRIVATE_PEM, PUBLIC_PEM } from "../providers/keys.ts";
import { Log, plainEventBus } from "../support/bus.ts";
import { FakeClock, settle } from "../support/clock.ts";
import { anEvent, bytes, idsOf, logOf, REFUSED, type SpecBus } from "./harness.ts";

const SECRET = "whsec_ZG9jdG9yIG9mIHRoZSBzcGVj";
const MARK = "MARKER";

let clock: FakeClock;

beforeEach(() => {
  clock = new FakeClock();
});

function busOf<Events extends EventMap, Base>(provider: Provider<Events, Base>, name = provider.name): SpecBus {
  const bus = new EventBus(provider, { clock, name });
  bus.logger = new Log();
  return bus as unknown as SpecBus;
}

/** A bus of Stripe with `secret`. */
function stripeWith(secret: string, name?: string): SpecBus {
  const bus = busOf(stripe(), name);
  bus.signingSecrets = secret;
  return bus;
}

const EVENT = anEvent({ data: { object: { card: MARK } } });

/** A delivery of `body` as Stripe signs it. */
function delivery(body: Uint8Array = bytes(EVENT), secret: string = SECRET, now: number = clock.now()): WebhookRequest {
  return { method: "POST", url: "/", headers: stripe().sign(body, { secret, now }), body };
}

interface Examined {
  readonly receipt: Receipt;
  readonly step: Step;
}

/** What the sender gets, and what the doctor finds. */
async function examine(bus: SpecBus, request: WebhookRequest): Promise<Examined> {
  const diagnosed = new Promise<Step>((resolve) => {
    const dispose = bus.notifications.subscribe("hookbus.", (step) => {
      if (step.name !== "hookbus.diagnose" || step.bus !== bus.name) return;
      dispose();
      resolve(step);
    });
  });
  const receipt = await bus.receive(request);
  return { receipt, step: await diagnosed };
}

/** Expects a finding, in the step and in the log, with `hint`; and no more than that anywhere. */
async function expectFinding(bus: SpecBus, request: WebhookRequest, finding: string, hint: string): Promise<Step> {
  const ids = idsOf(bus);
  const { receipt, step } = await examine(bus, request);
  expect(receipt).to.deep.equal({
    status: 401,
    headers: { "content-type": "application/json" },
    body: REFUSED,
    outcome: "rejected",
  });
  expect(ids).to.deep.equal([]);
  expect([step.finding, step.outcome, step.hint]).to.deep.equal([finding, "found", hint]);
  expect(logOf(bus).at(-1)).to.deep.equal({
    level: "warn",
    message: `hookbus: why a delivery was refused: ${finding}`,
    fields: { bus: bus.name, reason: step.reason, finding, hint },
  });
  const told = JSON.stringify([logOf(bus), step]);
  for (const secret of [MARK, "ZG9jdG9y", "doctor of the spec", "PRIVATE KEY", "PUBLIC KEY", "v1="]) {
    expect(told).not.to.include(secret);
  }
  return step;
}

async function expectNothing(bus: SpecBus, request: WebhookRequest): Promise<void> {
  const { step } = await examine(bus, request);
  const { durationMs, ...rest } = step;
  expect(durationMs).to.be.within(0, 10_000);
  expect(rest).to.deep.equal({
    name: "hookbus.diagnose",
    bus: bus.name,
    provider: bus.provider.name,
    outcome: "nothing",
    reason: "bad_signature",
    finding: "nothing",
    hint: undefined,
  });
  expect(logOf(bus)).to.have.length(1);
}

describe("the doctor", () => {
  describe("finds that the clock is off", () => {
    for (const [off, words] of [
      [-301, "301 s ago"],
      [-7_200, "7200 s ago"],
      [301, "301 s ahead"],
      [86_400, "86400 s ahead"],
      [-400_000_000, "400000000 s ago"],
    ] as const) {
      it(`by ${off} s`, async () => {
        await expectFinding(
          stripeWith(SECRET),
          delivery(bytes(EVENT), SECRET, clock.now() + off * 1_000),
          "clock_skew",
          `the signature is good and was made ${words}, by this machine's clock: set the clock, or take it for a replay`,
        );
      });
    }

    it("or that seconds were sent in milliseconds", async () => {
      const step = await expectFinding(
        stripeWith(SECRET),
        delivery(bytes(EVENT), SECRET, clock.now() * 1_000),
        "clock_skew",
        "the signature is good and was made 1698300000000 s ahead, by this machine's clock: set the clock, or take it " +
          "for a replay",
      );
      expect(step.reason).to.equal("timestamp_in_future");
    });
  });

  it("finds that a secret has expired", async () => {
    const bus = stripeWith(SECRET);
    bus.signingSecrets = [
      { label: "old", secret: SECRET, notAfter: clock.now() },
      { label: "new", secret: "whsec_new" },
    ];
    await clock.advance(1);
    await expectFinding(
      bus,
      delivery(),
      "secret_expired",
      "it was signed with `old`, whose `notAfter` has passed: finish the rotation at the provider, or extend it",
    );
  });

  describe("finds that a secret was set with a slip:", () => {
    const prefix =
      "`signingSecrets` matches with another prefix: copy it whole from the provider, with `whsec_` as it stands there, " +
      "once";
    const quotes = "`signingSecrets` matches without the quotes around it: remove them where it is stored";
    const end = "`signingSecrets` matches without the \\n written at its end: remove it where the secret is stored";
    const decoding =
      "`signingSecrets` matches when its text is decoded in another way: see that the bus is of the provider that signs";
    for (const [slip, secret, finding, hint] of [
      ["double quotes", `"${SECRET}"`, "secret_quotes", quotes],
      ["single quotes", `'${SECRET}'`, "secret_quotes", quotes],
      ["\\n at its end", `${SECRET}\\n`, "secret_line_end", end],
      ["\\r\\n at its end", `${SECRET}\\r\\n`, "secret_line_end", end],
      ["its prefix lost", SECRET.replace("whsec_", ""), "secret_prefix", prefix],
      ["its prefix doubled", `whsec_${SECRET}`, "secret_prefix", prefix],
      ["a scheme before it", `v1,${SECRET}`, "secret_prefix", prefix],
    ] as const) {
      it(slip, () => expectFinding(stripeWith(secret), delivery(), finding, hint));
    }

    it("text where base64 was meant", async () => {
      const key = Buffer.from("doctor of the spec").toString();
      await expectFinding(stripeWith(SECRET), delivery(bytes(EVENT), key), "secret_decoding", decoding);
    });

    it("base64 where text was meant (Svix)", async () => {
      const bus = busOf(svix());
      bus.signingSecrets = SECRET;
      const body = bytes(EVENT);
      const secret = `whsec_${Buffer.from(SECRET).toString("base64")}`;
      const headers = svix().sign(body, { secret, now: clock.now() });
      await expectFinding(bus, { method: "POST", url: "/", headers, body }, "secret_decoding", decoding);
    });

    it("of several secrets, and names the one", async () => {
      const bus = stripeWith(SECRET);
      bus.signingSecrets = [
        { label: "mexico", secret: "whsec_x" },
        { label: "peru", secret: `"${SECRET}"` },
      ];
      const { step } = await examine(bus, delivery());
      expect(step.hint).to.match(/^`peru` matches/);
    });

    it("of those that a function finds", async () => {
      const bus = stripeWith(SECRET);
      bus.signingSecrets = async () => ({ label: "tenant", secret: `"${SECRET}"` });
      const { step } = await examine(bus, delivery());
      expect(step.hint).to.match(/^`tenant` matches without the quotes/);
    });

    it("but never that it is empty, which anybody can sign with", async () => {
      const body = bytes(EVENT);
      for (const secret of ["v1,whsec_", "xyz"]) {
        const bus = stripeWith(secret);
        const { createHmac } = await import("node:crypto");
        const t = clock.now() / 1_000;
        const v1 = createHmac("sha256", "").update(`${t}.`).update(body).digest("hex");
        const headers = { "stripe-signature": `t=${t},v1=${v1}` };
        await expectNothing(bus, { method: "POST", url: "/", headers, body });
      }
    });
  });

  describe("finds that the secret is another bus's", () => {
    it("of the same provider, and names the bus", async () => {
      const secret = "whsec_doctor_of_mexico";
      const other = stripeWith(secret, "stripe-mx");
      const bus = stripeWith(SECRET);
      await expectFinding(
        bus,
        delivery(bytes(EVENT), secret),
        "other_bus",
        'the secret of the bus "stripe-mx" matches: swap the secrets, or the URLs set at the provider',
      );
      expect(JSON.stringify(logOf(bus))).not.to.include(secret);
      expect(logOf(other)).to.deep.equal([]);
    });

    it("of Conekta as well", async () => {
      const other = busOf(conekta(), "conekta-mx");
      other.webhookKeys = PUBLIC_PEM;
      const bus = busOf(conekta());
      bus.webhookKeys = OTHER.publicPem;
      const body = bytes(EVENT);
      const headers = conekta().sign(body, { secret: PRIVATE_PEM, setting: "webhookKeys" });
      const { step } = await examine(bus, { method: "POST", url: "/", headers, body });
      expect(step.finding).to.equal("other_bus");
      expect(logOf(bus).at(-1)?.message).to.equal("hookbus: why a delivery was refused: other_bus");
      expect(other.webhookKeys).to.have.length(1);
    });

    it("of a provider that signs in the same way, whichever of the two got the other's", async () => {
      // Keys of this spec's own: buses that other specs left behind are looked at as well.
      const [one, two] = [0xd1, 0xd2].map((byte) => `whsec_${Buffer.alloc(24, byte).toString("base64")}`) as [
        string,
        string,
      ];
      const buses = { clerk: busOf(clerk(), "users"), svix: busOf(svix(), "outbox") };
      buses.clerk.signingSecrets = one;
      buses.svix.signingSecrets = two;
      const body = bytes({ type: "user.created", data: {} });
      for (const [bus, sender, secret, other] of [
        [buses.clerk, clerk(), two, "outbox"],
        [buses.svix, svix(), one, "users"],
      ] as const) {
        const headers = sender.sign(body, { secret, id: "msg_1", now: clock.now() });
        const request = { method: "POST", url: "/", headers, body };
        const hint = `the secret of the bus "${other}" matches: swap the secrets, or the URLs set at the provider`;
        await expectFinding(bus, request, "other_bus", hint);
      }
    });

    it("of the same provider first, and of others only keys that could be its own", () => {
      const same = busOf(svix(), "kin-same");
      same.signingSecrets = `whsec_${Buffer.alloc(24, 0xd3).toString("base64")}`;
      const stripes = stripeWith("whsec_kin", "kin-stripe");
      const hub = busOf(github(), "kin-github");
      hub.signingSecrets = "secret of the hub";
      const bus = busOf(svix(), "kin");
      bus.signingSecrets = `whsec_${Buffer.alloc(24, 0xd4).toString("base64")}`;
      const kin = [...otherHolders(bus)].filter(({ name }) => name.startsWith("kin"));
      expect(kin.map(({ name }) => name)).to.deep.equal(["kin-same", "kin-stripe"]);
      expect([stripes, hub].map(({ keys }) => keys.length)).to.deep.equal([1, 1]);
    });

    it("and asks no bus of another scheme, itself, or one without secrets", () => {
      const one = stripeWith("whsec_holder_one", "holder-one");
      const two = stripeWith("whsec_holder_two", "holder-two");
      const none = busOf(stripe(), "holder-none");
      const found = busOf(stripe(), "holder-found");
      found.signingSecrets = async () => "whsec_holder_found";
      const conektas = busOf(conekta(), "holder-conekta");
      conektas.webhookKeys = PUBLIC_PEM;
      two.signingSecrets = "whsec_holder_three";
      const names = [...otherHolders(one)].map(({ name }) => name).filter((name) => name.startsWith("holder-"));
      expect(names).to.deep.equal(["holder-two"]);
      expect([none, found].map(({ keys }) => keys)).to.deep.equal([[], []]);
    });
  });

  describe("finds that the body was changed:", () => {
    const reserialised =
      "the signature is good for the same JSON, written in another way: have nothing parse the body before hookbus";
    const newline =
      "the signature is good but for a line end at the end of the body: have nothing trim or add to the body";
    const ends = "the signature is good for other line ends (CRLF and LF): have nothing convert the body's line ends";
    const base64 =
      "the signature is good for the body decoded from base64: decode it before hookbus (`isBase64Encoded` on AWS Lambda)";
    const compact = JSON.stringify(EVENT);
    const pretty = JSON.stringify(EVENT, null, 2);
    const windows = pretty.replaceAll("\n", "\r\n");
    for (const [change, sent, received, finding, hint] of [
      ["parsed, and written compactly", pretty, compact, "body_reserialised", reserialised],
      ["parsed, and written with indents", compact, pretty, "body_reserialised", reserialised],
      [
        "parsed, and written with other indents",
        compact,
        JSON.stringify(EVENT, null, 3),
        "body_reserialised",
        reserialised,
      ],
      ["a line end lost", `${compact}\n`, compact, "body_newline", newline],
      ["a line end of Windows lost", `${compact}\r\n`, compact, "body_newline", newline],
      ["a line end added", compact, `${compact}\n`, "body_newline", newline],
      ["a line end of Windows added", compact, `${compact}\r\n`, "body_newline", newline],
      ["CRLF made LF", windows, pretty, "body_line_ends", ends],
      ["LF made CRLF", pretty, windows, "body_line_ends", ends],
      ["in base64", compact, Buffer.from(compact).toString("base64"), "body_base64", base64],
    ] as const) {
      it(change, async () => {
        const request = { ...delivery(bytes(sent)), body: bytes(received) };
        await expectFinding(stripeWith(SECRET), request, finding, hint);
      });
    }

    it("of Conekta as well", async () => {
      const bus = busOf(conekta());
      bus.privateSignature = PRIVATE_PEM;
      const headers = conekta().sign(`${compact}\n`, { secret: PRIVATE_PEM, setting: "privateSignature" });
      await expectFinding(bus, { method: "POST", url: "/", headers, body: bytes(compact) }, "body_newline", newline);
    });

    it("with bytes that are no text, and stay as they are", async () => {
      const body = Buffer.concat([Buffer.from([0xff, 0xfe, 0x00]), bytes("\r\n")]);
      const request = { ...delivery(body), body: body.subarray(0, 3) };
      await expectFinding(stripeWith(SECRET), request, "body_newline", newline);
    });
  });

  describe("finds that a proxy changed the URL:", () => {
    const hint =
      "the signature is good for another URL of this endpoint: say how the sender sees it, where the provider has an " +
      "option for that, or have the proxy keep scheme, host and path";
    const secret = "doctor_of_the_spec_url";
    const behind = { host: "10.0.0.7:3000", "x-forwarded-host": "pay.example, 10.0.0.9", "x-forwarded-proto": "https" };
    for (const [change, sent, received, headers] of [
      ["scheme", "https://pay.example/hook?a=1", "http://pay.example/hook?a=1", {}],
      ["port added", "https://pay.example/hook", "https://pay.example:8443/hook", {}],
      ["port lost", "https://pay.example:443/hook", "https://pay.example/hook", {}],
      ["host", "https://pay.example/hook", "/hook", behind],
      ["host and scheme", "http://pay.example/hook", "https://10.0.0.7:3000/hook", behind],
      ["slash lost", "https://pay.example/hook/?a=1", "https://pay.example/hook?a=1", {}],
      ["slash added", "https://pay.example/hook", "https://pay.example/hook/", {}],
    ] as const) {
      it(`${change} (Square)`, async () => {
        const bus = busOf(square());
        bus.signingSecrets = secret;
        const body = bytes(EVENT);
        const signature = square().sign(body, { secret, url: sent });
        const request = { method: "POST", url: received, headers: { ...headers, ...signature }, body };
        await expectFinding(bus, request, "url", hint);
        expect(JSON.stringify(logOf(bus))).not.to.match(/pay\.example|10\.0\.0/);
      });
    }

    it("scheme (Twilio)", async () => {
      const bus = busOf(twilio());
      bus.signingSecrets = "0123456789abcdef0123456789abcdef";
      const body = bytes("MessageSid=SM1&MessageStatus=sent");
      const form = { "content-type": "application/x-www-form-urlencoded" };
      const signature = twilio().sign(body, {
        secret: "0123456789abcdef0123456789abcdef",
        url: "https://pay.example/sms",
        headers: form,
      });
      const request = { method: "POST", url: "http://pay.example/sms", headers: { ...form, ...signature }, body };
      const { step } = await examine(bus, request);
      expect(step.finding).to.equal("url");
    });

    it("and takes no host from a header that holds something else", () => {
      const { body } = delivery();
      const urls = otherUrls({
        method: "POST",
        url: "/x",
        headers: { host: "a b", "x-forwarded-host": "evil/../x" },
        body,
      });
      expect(urls).to.deep.equal(["/x/"]);
    });
  });

  it("finds nothing where the secret is unknown, and then the log has the refusal alone", async () => {
    await expectNothing(stripeWith(SECRET), delivery(bytes(EVENT), "whsec_nobody_has_this"));
  });

  it("finds nothing where a provider's `verify` throws", async () => {
    let calls = 0;
    const bus = plainEventBus(undefined, {
      verify: () => {
        if (++calls > 1) throw new Error(MARK);
        return { verified: false, reason: "bad_signature" };
      },
    });
    bus.signingSecrets = "secret";
    await expectNothing(bus as unknown as SpecBus, { method: "POST", url: "/", headers: {}, body: bytes("{}") });
    expect(calls).to.equal(2);
  });

  for (const reason of ["missing_header", "malformed_header", "no_expected_scheme"] as const) {
    it(`does not examine ${reason}`, async () => {
      const steps: string[] = [];
      const bus = plainEventBus(undefined, { verify: () => ({ verified: false, reason }) });
      bus.notifications.subscribe("hookbus.", ({ name }) => steps.push(name));
      bus.signingSecrets = "secret";
      await bus.receive({ method: "POST", url: "/", headers: {}, body: bytes("{}") });
      await settle();
      await settle();
      expect(steps).to.deep.equal(["hookbus.verify", "hookbus.receive"]);
    });
  }

  it("examines bad_body_hash", async () => {
    const bus = plainEventBus(undefined, { verify: () => ({ verified: false, reason: "bad_body_hash" }) });
    bus.signingSecrets = "secret";
    const request = { method: "POST", url: "/", headers: {}, body: bytes("{}") };
    expect((await examine(bus as unknown as SpecBus, request)).step.reason).to.equal("bad_body_hash");
  });

  it("starts when the answer has been sent, which is that of any forgery", async () => {
    const plain = stripe();
    const ended: (boolean | undefined)[] = [];
    let response: ServerResponse | undefined;
    const bus = busOf({
      ...plain,
      verify: (request, options) => {
        ended.push(response?.writableEnded);
        return plain.verify(request, options);
      },
    });
    bus.signingSecrets = `"${SECRET}"`;
    const diagnosed = new Promise((resolve) => bus.notifications.subscribe("hookbus.diagnose", resolve));
    const handler = nodeHandler(bus);
    const server = createServer((req, res) => {
      response = res;
      void handler(req, res);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const answers: string[] = [];
    try {
      for (const secret of [SECRET, "whsec_forged"]) {
        const { headers, body } = delivery(bytes(EVENT), secret);
        const request = httpRequest({
          host: "127.0.0.1",
          port,
          method: "POST",
          agent: false,
          headers: { ...headers } as Record<string, string>,
        });
        request.end(body);
        const [answer] = await once(request, "response");
        let text = "";
        for await (const chunk of answer) text += chunk;
        const { date: _, ...rest } = answer.headers;
        answers.push(JSON.stringify([answer.statusCode, rest, text]));
        // What is examined now is not to be taken for a part of the next request.
        await diagnosed;
      }
    } finally {
      server.close();
    }
    const [inTime, ...later] = ended;
    expect(inTime).to.equal(false);
    expect(later.filter(Boolean).length).to.be.at.least(3);
    expect(later.filter((each) => !each)).to.have.length(1); // the forgery's own verification
    expect(answers[0]).to.equal(answers[1]);
  });

  describe("holds itself back", () => {
    let jobs: (() => void)[];
    let bus: SpecBus;
    let doctor: Doctor;
    let steps: Step[];

    beforeEach(() => {
      jobs = [];
      steps = [];
      bus = stripeWith(SECRET);
      bus.notifications.subscribe("hookbus.", (step) => steps.push(step));
      doctor = new Doctor(bus as unknown as Bus, (job) => jobs.push(job));
    });

    const forgery = (): WebhookRequest => delivery(bytes(EVENT), "whsec_forged");
    const see = (request: WebhookRequest = forgery()): void => doctor.see(request, bus.keys, "bad_signature");
    const run = async (): Promise<number> => {
      let ran = 0;
      for (let job = jobs.shift(); job; job = jobs.shift()) {
        job();
        ran += 1;
        await settle();
      }
      return ran;
    };

    it("until it is given its turn, hypothesis by hypothesis", async () => {
      see();
      expect(jobs).to.have.length(1);
      expect(steps).to.deep.equal([]);
      expect(await run()).to.be.greaterThan(5);
      expect(steps.map(({ finding }) => finding)).to.deep.equal(["nothing"]);
    });

    it("to one examination at a time", async () => {
      see();
      jobs.shift()?.();
      await settle();
      await clock.advance(60_000);
      see();
      expect(jobs).to.have.length(1);
      await run();
      expect(steps).to.have.length(1);
      see();
      await run();
      expect(steps).to.have.length(2);
    });

    it("to one in ten seconds, whatever comes", async () => {
      see();
      await run();
      for (let i = 0; i < 100; i++) see();
      await clock.advance(9_999);
      see();
      expect(jobs).to.deep.equal([]);
      await clock.advance(1);
      see();
      expect(jobs).to.have.length(1);
    });

    it("but not for a clock that was set back", async () => {
      see();
      await run();
      await clock.advance(-86_400_000);
      see();
      expect(jobs).to.have.length(1);
    });

    it("from bodies of more than 256 KiB", () => {
      see({ ...forgery(), body: Buffer.alloc(262_145) });
      expect(jobs).to.deep.equal([]);
      see({ ...forgery(), body: Buffer.alloc(262_144) });
      expect(jobs).to.have.length(1);
    });

    it("by two seconds at most", async () => {
      const { now } = performance;
      let ms = 0;
      performance.now = () => ms;
      try {
        see();
        for (let i = 0; i < 3; i++) {
          jobs.shift()?.();
          await settle();
        }
        ms = 2_001;
        expect(await run()).to.equal(1);
        expect(steps.map(({ finding, durationMs }) => [finding, durationMs])).to.deep.equal([["nothing", 2_001]]);
      } finally {
        performance.now = now;
      }
    });

    it("from more than fifty other buses", async () => {
      const others = Array.from({ length: 200 }, (_, i) => stripeWith(`whsec_crowd_${i}`, `crowd-${i}`));
      see();
      expect(await run()).to.be.lessThan(100);
      expect(others).to.have.length(200);
    });
  });

  describe("with a hostile body", () => {
    for (const [what, body] of [
      ["line ends only", Buffer.alloc(262_144, "\n")],
      ["line ends before junk", Buffer.concat([Buffer.alloc(262_143, "\n"), bytes("!")])],
      ["no end of brackets", Buffer.alloc(262_144, "[")],
      ["deep nesting", bytes(`${"[".repeat(131_072)}${"]".repeat(131_072)}`)],
      ["wide at the depth that is allowed", bytes(`${"[".repeat(32)}${"0,".repeat(131_000)}0${"]".repeat(32)}`)],
      ["base64 but for its end", Buffer.concat([Buffer.alloc(262_143, "A"), bytes("!")])],
      ["equals signs", Buffer.alloc(262_144, "=")],
    ] as const) {
      it(`takes no long time, and no much memory: ${what}`, () => {
        const started = performance.now();
        let longest = 0;
        for (const { body: other } of otherBodies(body)) longest = Math.max(longest, other.byteLength);
        expect(performance.now() - started).to.be.lessThan(2_000);
        expect(longest).to.be.lessThan(16 * 1024 * 1024);
      });
    }

    it("parses none that is nested more deeply than 32 levels", () => {
      const nested = (depth: number): Buffer => bytes(`${"[".repeat(depth)} ${"]".repeat(depth)}`);
      const findings = (depth: number): string[] => [...otherBodies(nested(depth))].map(({ finding }) => finding);
      expect(findings(32)).to.include("body_reserialised");
      expect(findings(33)).not.to.include("body_reserialised");
    });
  });
});
