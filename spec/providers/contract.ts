import { expect } from "chai";
import { ConfigurationError, PayloadError } from "../../src/errors.ts";
import { EventBus } from "../../src/event-bus.ts";
import type {
  Envelope,
  Provider,
  RequestHeaders,
  SecretForm,
  SecretSetting,
  SignOptions,
  WebhookRequest,
} from "../../src/providers/provider.ts";

/** A delivery that a provider can sign, and what there is to know about it. */
export interface ProviderSample {
  readonly name: string;
  /** What signs. */
  readonly secret: string;
  /** What verifies, where it is not what signs: the public key. */
  readonly verifyingSecret?: string;
  /** A secret of the same form that did not sign. */
  readonly otherSecret: string;
  /** Default: the provider's first. */
  readonly setting?: SecretSetting;
  readonly body: Uint8Array | string;
  /** The header fields beside those that `sign` makes. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly url?: string;
  readonly method?: string;
  readonly id?: string;
  /** Milliseconds since 1970; default: November 2023. */
  readonly now?: number;
  /** What of the delivery no signature covers, so that a change of it goes unnoticed. */
  readonly notSigned?: readonly ("body" | "timestamp")[];
  /** Header fields of `sign` without which a delivery is still genuine. */
  readonly optionalHeaders?: readonly string[];
  /** Unsigned header fields as they are when the delivery comes again. */
  readonly freshHeaders?: Readonly<Record<string, string>>;
  /** How many events it carries; default 1. With 0, a handshake: it is verified, and not read. */
  readonly events?: number;
}

/** What a provider whose signature is a part of the body has besides. */
interface SignsBody {
  signBody?(body: Uint8Array | string, options: SignOptions): Uint8Array;
}

const NOW = 1_700_000_000_000;
const RANDOM_DELIVERIES = 200;

/**
 * Declares the specs that every provider passes, built in or not: needs mocha's globals and chai.
 *
 * `make` is called anew for each spec.
 */
export function providerContract(make: () => Provider, samples: readonly ProviderSample[]): void {
  for (const sample of samples) {
    describe(`${make().name}, ${sample.name}: the contract of a provider`, () => contractOf(make, sample));
  }
}

function contractOf(make: () => Provider, sample: ProviderSample): void {
  const { now = NOW, notSigned = [], events = 1 } = sample;

  it("verifies what it signs", async () => {
    const result = await verdict(make(), sample, deliveryOf(make(), sample));
    expect(result).to.deep.equal({ verified: true, matchedSecret: "it" });
  });

  it("verifies what it signs under names in upper case, and beside keys that do not match", async () => {
    const provider = make();
    const request = deliveryOf(provider, sample);
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name.toUpperCase(), value]),
    );
    const keys = [keyOf(provider, sample, sample.otherSecret, "other"), keyOf(provider, sample)];
    const options = { now, toleranceSeconds: provider.toleranceSeconds };
    for (const order of [keys, keys.toReversed()]) {
      const result = await provider.verify({ ...request, headers }, { ...options, keys: order });
      expect(result).to.deep.equal({ verified: true, matchedSecret: "it" });
    }
  });

  if (!notSigned.includes("body")) {
    it("rejects any change of the body", async () => {
      const provider = make();
      const request = deliveryOf(provider, sample);
      for (const body of changesOf(request.body)) {
        const result = await verdict(provider, sample, { ...request, body });
        expect(result.verified, Buffer.from(body).toString()).to.equal(false);
      }
    });
  }

  it("rejects any change of the signature", async () => {
    const provider = make();
    const request = deliveryOf(provider, sample);
    let changes = 0;
    for (const headers of changedSignatures(provider, sample)) {
      const result = await verdict(provider, sample, { ...request, headers: { ...request.headers, ...headers } });
      expect(result.verified, JSON.stringify(headers)).to.equal(false);
      changes++;
    }
    // A signature within the body changes with the body.
    if (Object.keys(signedHeaders(provider, sample)).length > 0) expect(changes).to.be.above(0);
  });

  if (!notSigned.includes("timestamp")) {
    it("rejects any change of the timestamp", async () => {
      const provider = make();
      const request = deliveryOf(provider, sample);
      for (const [name, value] of Object.entries(signedHeaders(provider, sample))) {
        for (const [before, after] of [
          [String(now), String(now + 1000)],
          [String(Math.floor(now / 1000)), String(Math.floor(now / 1000) + 1)],
        ] as const) {
          if (!value.includes(before)) continue;
          const headers = { ...request.headers, [name]: value.replace(before, after) };
          expect(await verdict(provider, sample, { ...request, headers })).to.have.property("verified", false);
        }
      }
    });
  }

  it("rejects what another secret signed, and everything without a key", async () => {
    const provider = make();
    const request = deliveryOf(provider, sample);
    const other = keyOf(provider, sample, sample.otherSecret);
    for (const keys of [[other], []]) {
      const options = { keys, now, toleranceSeconds: provider.toleranceSeconds };
      expect(await provider.verify(request, options)).to.have.property("verified", false);
    }
  });

  it("rejects a delivery without one of its headers", async () => {
    const provider = make();
    const request = deliveryOf(provider, sample);
    for (const name of Object.keys(signedHeaders(provider, sample))) {
      if (sample.optionalHeaders?.includes(name)) continue;
      for (const value of [undefined, ""]) {
        const result = await verdict(provider, sample, { ...request, headers: { ...request.headers, [name]: value } });
        expect(result.verified, name).to.equal(false);
      }
    }
  });

  it("rejects garbage without throwing", async () => {
    const provider = make();
    const request = deliveryOf(provider, sample);
    const names = [...Object.keys(request.headers), ...(provider.summary?.headers ?? [])];
    const random = randomFrom(1);
    for (let round = 0; round < RANDOM_DELIVERIES; round++) {
      const headers = Object.fromEntries(names.map((name) => [name, garbage(random)]));
      const body = round % 2 === 0 || signsBody(provider) ? Buffer.from(garbage(random)) : request.body;
      const result = await verdict(provider, sample, { ...request, url: garbage(random), headers, body });
      expect(result.verified).to.equal(false);
    }
    for (const odd of [{}, { [names[0] ?? "x"]: 5 as never }, { [names[0] ?? "x"]: ["a", "b"] }]) {
      expect((await verdict(provider, sample, { ...request, headers: odd, body: Buffer.alloc(0) })).verified).to.equal(
        false,
      );
    }
  });

  it("takes no empty or blank secret", () => {
    const provider = make();
    for (const [setting, form] of Object.entries(provider.secrets) as [SecretSetting, SecretForm][]) {
      for (const blank of ["", " ", "\n", ...(form.several ? [[""], [" "]] : [])]) {
        const bus = new EventBus(provider);
        expect(() => {
          bus[setting] = blank as never;
        }, setting).to.throw(ConfigurationError);
      }
      for (const blank of ["", " ", "\n"]) expect(() => form.parse(blank), setting).to.throw(ConfigurationError);
    }
  });

  it("throws nothing but PayloadError for a payload that is no event", () => {
    const provider = make();
    const request = deliveryOf(provider, sample);
    const odd = [null, undefined, 5, "x", true, [], [null], [[]], [{}], {}, { id: 5 }, { id: "", type: "" }];
    for (const payload of [...odd, { type: { toString: null } }, { id: "a/b", type: "a b" }, { data: null }]) {
      try {
        provider.read(payload, { request });
      } catch (error) {
        expect(error, JSON.stringify(payload)).to.be.instanceOf(PayloadError);
      }
    }
  });

  it("throws nothing but PayloadError for an event whose fields are not what they should be", () => {
    const provider = make();
    const request = deliveryOf(provider, sample);
    for (const payload of distortionsOf(payloadOf(provider, request), 3)) {
      try {
        provider.read(payload, { request });
      } catch (error) {
        expect(error, JSON.stringify(payload)).to.be.instanceOf(PayloadError);
      }
    }
  });

  it("parses garbage without throwing anything but PayloadError", () => {
    const provider = make();
    const request = deliveryOf(provider, sample);
    const random = randomFrom(2);
    const types = ["application/json", "application/x-www-form-urlencoded", "", "text/xml"];
    for (let round = 0; round < RANDOM_DELIVERIES; round++) {
      const type = types[round % types.length];
      const body = round % 9 === 0 ? Buffer.from([0x7b, 0xff]) : Buffer.from(garbage(random));
      try {
        provider.parse?.({ ...request, headers: { ...request.headers, "content-type": type }, body });
      } catch (error) {
        expect(error, body.toString()).to.be.instanceOf(PayloadError);
      }
    }
  });

  if (events > 0) {
    it("reads an id, a type and a key of every event", () => {
      const provider = make();
      const envelopes = envelopesOf(provider, deliveryOf(provider, sample));
      expect(envelopes).to.have.length(events);
      for (const { id, type, key } of envelopes) {
        for (const text of [id, type, key]) expect(text).to.be.a("string").that.is.not.empty;
      }
      expect(new Set(envelopes.map(({ key }) => key)).size).to.equal(events);
    });

    it("delivers once what comes twice, whatever its unsigned headers say", async () => {
      const provider = make();
      const request = deliveryOf(provider, sample);
      const again = { ...request, headers: { ...request.headers, "x-fresh": "2", ...sample.freshHeaders } };
      const bus = new EventBus(provider, { clock: clockAt(now) });
      bus.logger = { info() {}, warn() {}, error() {} };
      const setting = settingOf(provider, sample);
      bus[setting] = (sample.verifyingSecret ?? sample.secret) as never;
      let ran = 0;
      bus.all(() => {
        ran++;
      });
      for (const [delivery, outcome] of [
        [request, "handled"],
        [again, "duplicate"],
        [request, "duplicate"],
      ] as const) {
        const receipt = await bus.receive(delivery);
        expect(receipt.status).to.be.within(200, 299);
        expect(receipt.outcome).to.equal(outcome);
        expect(ran).to.equal(events);
      }
    });
  }
}

function settingOf(provider: Provider, { setting }: ProviderSample): SecretSetting {
  return setting ?? (Object.keys(provider.secrets)[0] as SecretSetting);
}

function keyOf(
  provider: Provider,
  sample: ProviderSample,
  text: string = sample.verifyingSecret ?? sample.secret,
  label: string = "it",
) {
  const form = provider.secrets[settingOf(provider, sample)] ?? expect.fail("the provider has no such setting");
  return { label, scheme: form.schemeOf?.(text) ?? form.scheme, key: form.parse(text) };
}

function signOptions(sample: ProviderSample): SignOptions {
  const { secret, setting, now = NOW, id, method, url, headers } = sample;
  return { secret, setting, now, id, method, url, headers };
}

function bodyOf(provider: Provider, sample: ProviderSample): Buffer {
  const { signBody } = provider as SignsBody;
  const body = signBody ? signBody.call(provider, sample.body, signOptions(sample)) : sample.body;
  return Buffer.from(body);
}

function signsBody(provider: Provider): boolean {
  return (provider as SignsBody).signBody !== undefined;
}

function signedHeaders(provider: Provider, sample: ProviderSample): Readonly<Record<string, string>> {
  return provider.sign(bodyOf(provider, sample), signOptions(sample));
}

function deliveryOf(provider: Provider, sample: ProviderSample): WebhookRequest {
  const { method = "POST", url = "/", headers } = sample;
  return {
    method,
    url,
    headers: { ...headers, ...signedHeaders(provider, sample) },
    body: bodyOf(provider, sample),
  };
}

async function verdict(provider: Provider, sample: ProviderSample, request: WebhookRequest) {
  const { toleranceSeconds } = provider;
  return provider.verify(request, { keys: [keyOf(provider, sample)], now: sample.now ?? NOW, toleranceSeconds });
}

function payloadOf(provider: Provider, request: WebhookRequest): unknown {
  return provider.parse ? provider.parse(request) : JSON.parse(Buffer.from(request.body).toString());
}

function envelopesOf(provider: Provider, request: WebhookRequest): readonly Envelope[] {
  const read = provider.read(payloadOf(provider, request), { request });
  return "id" in read ? [read] : read;
}

/** Copies with a bit flipped, up to sixty-four of them, and others that are shorter or longer. */
function* changesOf(body: Uint8Array): Iterable<Uint8Array> {
  const step = Math.max(1, Math.floor(body.byteLength / 64));
  for (let at = 0; at < body.byteLength; at += step) yield flipped(body, at);
  if (body.byteLength > 0) {
    yield flipped(body, body.byteLength - 1);
    yield body.subarray(0, -1);
    yield body.subarray(1);
    yield new Uint8Array();
  }
  yield Buffer.concat([body, Buffer.from("x")]);
}

const ODD: readonly unknown[] = [undefined, null, true, 5, 1e300, "", "x", "a b", [], [null], {}, { toString: null }];

/** Copies with one value in the place of which there is an odd one, down to a depth. */
function* distortionsOf(value: unknown, depth: number): Iterable<unknown> {
  yield* ODD;
  if (depth === 0 || typeof value !== "object" || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    for (const odd of distortionsOf(inner, depth - 1)) {
      yield Array.isArray(value) ? value.with(Number(name), odd) : { ...value, [name]: odd };
    }
  }
}

function flipped(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
  return copy;
}

/** Long enough to be no version, timestamp or word. */
const SIGNATURE = /[\w+/-]{27,}={0,2}/;

/** Every header field that holds a signature, with a bit of the decoded bytes flipped, bytes missing, and bytes more. */
function* changedSignatures(provider: Provider, sample: ProviderSample): Iterable<RequestHeaders> {
  for (const [name, value] of Object.entries(signedHeaders(provider, sample))) {
    const text = SIGNATURE.exec(value)?.[0];
    if (text === undefined) continue;
    const encoding = /^(?:[0-9a-f]{2})+$/.test(text) ? "hex" : /[-_]/.test(text) ? "base64url" : "base64";
    const bytes = Buffer.from(text, encoding);
    for (const change of changesOf(bytes)) {
      yield { [name]: value.replace(text, Buffer.from(change).toString(encoding)) };
    }
    yield { [name]: value.replace(text, text.toUpperCase() === text ? text.toLowerCase() : text.toUpperCase()) };
  }
}

/** A generator of numbers below a bound, the same in every run (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const PIECES = [
  "t=",
  "v1=",
  "v1,",
  "sha256=",
  ",",
  ";",
  " ",
  "|",
  "&",
  "=",
  "{",
  "}",
  "[",
  "]",
  '"',
  ":",
  "%",
  "0",
  "1",
];
const MORE = ["a", "f", "AA==", "\0", "ü", "🦊", "\ud800", "1700000000", "null", "{}", "bt_signature=", "bt_payload="];

function garbage(random: (below: number) => number): string {
  const pieces = [...PIECES, ...MORE];
  return Array.from({ length: random(40) }, () => pieces[random(pieces.length)]).join("");
}

function clockAt(now: number) {
  return {
    now: () => now,
    setTimeout: (run: () => void, ms: number): unknown => setTimeout(run, ms),
    clearTimeout: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
  };
}
