import { expect } from "chai";
import { ConfigurationError, PayloadError } from "../../src/errors.ts";
import { EventBus } from "../../src/event-bus.ts";
import type {
  Envelope,
  Provider,
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
  /** Of what the body holds, no signature covers anything, or not how it is spelled: such changes may go unnoticed. */
  readonly notSigned?: "body" | "spelling";
  /** Where the signature stands, for one that is a part of the body. */
  readonly signatureInBody?: RegExp;
  /** Deliveries of which something signed was changed that is neither the raw body nor in a header of `sign`. */
  readonly changes?: (request: WebhookRequest) => Iterable<WebhookRequest>;
  /** A body that the provider could have sent, with any text in it; default: any bytes at all. */
  readonly carry?: (text: string, now: number) => string;
  /** Header fields of `sign` that no signature covers. */
  readonly unsignedHeaders?: readonly string[];
  /** Unsigned header fields as they are when the delivery comes again. */
  readonly freshHeaders?: Readonly<Record<string, string>>;
  /** How many events it carries; default 1. With 0, a handshake: it is verified, and not read. */
  readonly events?: number;
}

/** What a provider whose signature is a part of the body has besides. */
interface SignsBody {
  signBody?(body: Uint8Array | string, options: SignOptions): Uint8Array;
}

/** The time of a sample that says none, in milliseconds since 1970. */
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
  const { now = NOW, notSigned, events = 1 } = sample;
  // Made now, so that a case with nothing to change is not there, and does not pass.
  const signed = deliveryOf(make(), sample);
  const stamped = stampsOf(signed, signedHeaders(make(), sample), now);
  if (!signatureOf(make(), sample, signed)) throw new Error(`${sample.name}: a delivery has a signature to change`);

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

  if (notSigned !== "body") {
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
    const signature = signatureOf(provider, sample, request) ?? expect.fail("there is none");
    for (const change of [...changesOf(signature.bytes)].map(signature.put).concat(signature.otherCase)) {
      const result = await verdict(provider, sample, change);
      expect(result.verified, JSON.stringify(change.headers)).to.equal(false);
    }
  });

  const { changes } = sample;
  if (changes) {
    it("rejects any change of what else is signed", async () => {
      const provider = make();
      const changed = [...changes(deliveryOf(provider, sample))];
      expect(changed).not.to.deep.equal([]);
      for (const request of changed) {
        const result = await verdict(provider, sample, request);
        expect(result.verified, `${request.method} ${request.url} ${Buffer.from(request.body)}`).to.equal(false);
      }
    });
  }

  if (stamped.length > 0) {
    it("rejects any change of the timestamp", async () => {
      const provider = make();
      const request = deliveryOf(provider, sample);
      for (const { name, value, text, later } of stampsOf(request, signedHeaders(provider, sample), now)) {
        const headers = { ...request.headers, [name]: value.replace(text, later(1000)) };
        expect(await verdict(provider, sample, { ...request, headers })).to.have.property("verified", false);
      }
    });
  }

  for (const name of otherHeaders(make(), sample, signed, now)) {
    it(`rejects any change of the header ${name}`, async () => {
      const provider = make();
      const request = deliveryOf(provider, sample);
      const value = String(request.headers[name]);
      for (const other of [`${value}x`, `x${value}`, value.slice(1), "x"]) {
        const headers = { ...request.headers, [name]: other };
        expect(await verdict(provider, sample, { ...request, headers })).to.have.property("verified", false);
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

  for (const name of Object.keys(signedHeaders(make(), sample))) {
    it(`rejects a delivery without the header ${name}`, async () => {
      const provider = make();
      const request = deliveryOf(provider, sample);
      for (const value of [undefined, ""]) {
        const result = await verdict(provider, sample, { ...request, headers: { ...request.headers, [name]: value } });
        expect(result.verified).to.equal(false);
      }
    });
  }

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

/** The setting of the sample's secret. */
export function settingOf(provider: Provider, { setting }: ProviderSample): SecretSetting {
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

/** The header fields that `sign` makes for the sample. */
export function signedHeaders(provider: Provider, sample: ProviderSample): Readonly<Record<string, string>> {
  return provider.sign(bodyOf(provider, sample), signOptions(sample));
}

/** The sample as the provider would send it, signed. */
export function deliveryOf(provider: Provider, sample: ProviderSample): WebhookRequest {
  const { method = "POST", url = "/", headers } = sample;
  return {
    method,
    url,
    headers: { ...headers, ...signedHeaders(provider, sample) },
    body: bodyOf(provider, sample),
  };
}

/** What the provider says of a delivery under the sample's secret, at its time. */
export async function verdict(provider: Provider, sample: ProviderSample, request: WebhookRequest) {
  const { toleranceSeconds } = provider;
  return provider.verify(request, { keys: [keyOf(provider, sample)], now: sample.now ?? NOW, toleranceSeconds });
}

/** What the bytes of a delivery hold. */
export function payloadOf(provider: Provider, request: WebhookRequest): unknown {
  return provider.parse ? provider.parse(request) : JSON.parse(Buffer.from(request.body).toString());
}

/** The envelopes of a delivery. */
export function envelopesOf(provider: Provider, request: WebhookRequest): readonly Envelope[] {
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

/** The signature of a delivery, decoded, and the delivery with another in its place. */
export interface FoundSignature {
  readonly bytes: Buffer;
  readonly put: (bytes: Uint8Array) => WebhookRequest;
  /** With its letters in upper case; or in lower, where they are that. */
  readonly otherCase: WebhookRequest;
  /** The header field that it stands in, unless it is a part of the body. */
  readonly header?: string;
}

/** Finds the signature in a header field of `sign`, or in the body where the sample says so. */
export function signatureOf(
  provider: Provider,
  sample: ProviderSample,
  request: WebhookRequest,
): FoundSignature | undefined {
  if (sample.signatureInBody) {
    const body = Buffer.from(request.body).toString();
    const text = sample.signatureInBody.exec(body)?.[1];
    return text === undefined
      ? undefined
      : found(text, (other) => ({ ...request, body: Buffer.from(body.replace(text, other)) }));
  }
  for (const header of Object.keys(signedHeaders(provider, sample))) {
    const value = String(request.headers[header]);
    const text = sample.unsignedHeaders?.includes(header) ? undefined : SIGNATURE.exec(value)?.[0];
    if (text === undefined) continue;
    const put = (other: string) => ({
      ...request,
      headers: { ...request.headers, [header]: value.replace(text, other) },
    });
    return { ...found(text, put), header };
  }
  return undefined;
}

function found(text: string, put: (other: string) => WebhookRequest): FoundSignature {
  const encoding = encodingOf(text);
  return {
    bytes: Buffer.from(text, encoding),
    put: (bytes) => put(Buffer.from(bytes).toString(encoding)),
    otherCase: put(text.toUpperCase() === text ? text.toLowerCase() : text.toUpperCase()),
  };
}

function encodingOf(text: string): "hex" | "base64" | "base64url" {
  if (/^(?:[0-9a-f]{2})+$/.test(text)) return "hex";
  return /[-_]/.test(text) || text.length % 4 !== 0 ? "base64url" : "base64";
}

/** A header field that holds the time of `now`. */
export interface Stamp {
  readonly name: string;
  readonly value: string;
  /** The time as it stands there. */
  readonly text: string;
  /** The time so many milliseconds later, in the same form. */
  readonly later: (ms: number) => string;
}

/** The header fields of `sign` that hold the time: in seconds, in milliseconds, or as ISO 8601 text. */
export function stampsOf(
  { headers }: WebhookRequest,
  signed: Readonly<Record<string, string>>,
  now: number,
): readonly Stamp[] {
  const forms = [
    (at: number) => new Date(at).toISOString(),
    (at: number) => String(at),
    (at: number) => String(Math.floor(at / 1000)),
  ];
  return Object.keys(signed).flatMap((name) => {
    const value = String(headers[name]);
    const form = forms.find((each) => value.includes(each(now)));
    return form ? [{ name, value, text: form(now), later: (ms) => form(now + ms) }] : [];
  });
}

/** The other header fields of `sign` that are signed: ids, names of algorithms. */
function otherHeaders(provider: Provider, sample: ProviderSample, request: WebhookRequest, now: number): string[] {
  const signed = signedHeaders(provider, sample);
  const known = [
    signatureOf(provider, sample, request)?.header,
    ...stampsOf(request, signed, now).map(({ name }) => name),
    ...(sample.unsignedHeaders ?? []),
  ];
  return Object.keys(signed).filter((name) => !known.includes(name));
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

/** A clock that stands still. */
export function clockAt(now: number) {
  return {
    now: () => now,
    setTimeout: (run: () => void, ms: number): unknown => setTimeout(run, ms),
    clearTimeout: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
  };
}
