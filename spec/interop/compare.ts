import { expect } from "chai";
import fc from "fast-check";
import type { Provider, RequestHeaders, SigningKey } from "../../src/providers/provider.ts";

const RUNS = 200;

/** Curves in plain JavaScript are slow. */
const TIMEOUT_MS = 120_000;

/** The same payloads in every run. */
const SEED = 20_261_122;

/** A way of signing that hookbus and a provider's own package both know. */
export interface Peer {
  readonly provider: Pick<Provider, "sign" | "verify" | "secrets" | "toleranceSeconds">;
  /** What hookbus verifies with. */
  readonly secret: string;
  /** What hookbus signs with; default: the same. */
  readonly signingSecret?: string;
  /** Default: JSON. */
  readonly bodies?: readonly string[];
  /** Where a body is sent to; default: `/`. */
  readonly url?: (body: string) => string;
  /** What a delivery has beside the signature. */
  readonly headers?: RequestHeaders;
  /** The package's signer, where it has one: the fields that it signs a body with. */
  sign?(body: string, now: number): Fields | Promise<Fields>;
  /** Whether the package's verifier takes a delivery, which came to `url`. */
  accepts(body: string, fields: Fields, now: number, url: string): boolean | Promise<boolean>;
}

type Fields = Readonly<Record<string, string>>;

/** Specs that both sides take what the other signs, and refuse it with one byte of its body changed. */
export function compare(peer: Peer): void {
  const bodies = peer.bodies ?? JSON_BODIES;
  const urlOf = peer.url ?? (() => "/");
  const fieldsOf = (body: string, now: number): Fields =>
    peer.provider.sign(body, {
      secret: peer.signingSecret ?? peer.secret,
      now,
      id: "msg_1",
      url: urlOf(body),
      headers: peer.headers,
    });

  it(`is taken by the package, ${bodies.length} times, when hookbus signs`, async () => {
    for (const body of bodies) {
      const now = Date.now();
      expect(await peer.accepts(body, fieldsOf(body, now), now, urlOf(body)), body).to.equal(true);
    }
  }).timeout(TIMEOUT_MS);

  it("is refused by both with one byte changed", async () => {
    for (const [index, body] of bodies.entries()) {
      const now = Date.now();
      const fields = fieldsOf(body, now);
      const other = changed(body, index);
      expect(await peer.accepts(other, fields, now, urlOf(body)), `${body} as ${other}`).to.equal(false);
      expect(await takes(peer, body, fields, now), body).to.equal(true);
      expect(await takes(peer, body, fields, now, other), `${body} as ${other}`).to.equal(false);
    }
  }).timeout(TIMEOUT_MS);

  const { sign } = peer;
  if (!sign) return;
  it(`is taken by hookbus, ${bodies.length} times, when the package signs`, async () => {
    for (const body of bodies) {
      const now = Date.now();
      expect(await takes(peer, body, await sign(body, now), now), body).to.equal(true);
    }
  }).timeout(TIMEOUT_MS);
}

/** Whether hookbus takes a delivery of `sent`, whose URL was made for `body`. */
async function takes(peer: Peer, body: string, fields: Fields, now: number, sent: string = body): Promise<boolean> {
  const { provider } = peer;
  const request = {
    method: "POST",
    url: peer.url?.(body) ?? "/",
    headers: { ...peer.headers, ...fields },
    body: Buffer.from(sent),
  };
  const { toleranceSeconds } = provider;
  const { verified } = await provider.verify(request, { keys: [keyOf(peer)], now, toleranceSeconds });
  return verified;
}

function keyOf({ provider, secret }: Peer): SigningKey {
  const [form] = Object.values(provider.secrets);
  if (!form) throw new Error("a provider has a setting for secrets");
  return { label: "it", scheme: form.schemeOf?.(secret) ?? form.scheme, key: form.parse(secret) };
}

/** A copy with one bit flipped; still another text where the bytes are no UTF-8 any more. */
function changed(body: string, index: number): string {
  const bytes = Buffer.from(body);
  const at = (index * 7919) % bytes.length;
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  return bytes.toString();
}

const SPECIAL = ["$& $$ $1", "%41 + %", "\\u001B", '"\\"', "\r\n\t\b\f", "\u2028\u2029", "\u0000\u007f", "</script>"];

/** ASCII, characters of several bytes, all of Unicode, and what is escaped or replaced in one language or another. */
export const text: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "grapheme-ascii", maxLength: 60 }),
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.constantFrom(...SPECIAL),
);

/** JSON as it is written in several languages: compact, with all but ASCII escaped, indented with CRLF at its end. */
const json: fc.Arbitrary<string> = fc
  .tuple(
    fc.record({ id: fc.uuid(), object: fc.constant("event"), type: text, data: fc.dictionary(text, fc.jsonValue()) }),
    fc.constantFrom(
      (value: unknown) => JSON.stringify(value),
      (value: unknown) => JSON.stringify(value).replace(/[^ -~]/g, escaped),
      (value: unknown) => `${JSON.stringify(value, undefined, "\t").replaceAll("\n", "\r\n")}\r\n`,
    ),
  )
  .map(([value, write]) => write(value));

/** `\u001B`, with the capitals that not every language writes. */
function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}

export function samples<T>(arbitrary: fc.Arbitrary<T>): T[] {
  return fc.sample(arbitrary, { numRuns: RUNS, seed: SEED });
}

const JSON_BODIES: readonly string[] = samples(json);

/** Whether a verifier that throws when it refuses takes something. */
export function passes(verify: () => unknown): boolean {
  try {
    verify();
    return true;
  } catch {
    return false;
  }
}
