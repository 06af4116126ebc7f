import { createPrivateKey } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import type { Provider, Verification, WebhookRequest } from "../../src/providers/provider.ts";
import { stripe } from "../../src/providers/stripe.ts";
import { deliveryOf, type ProviderSample, signatureOf, signedHeaders, stampsOf, verdict } from "./contract.ts";
import { exportedProviders } from "./exported.ts";
import { PRIVATE_PEM } from "./keys.ts";
import { atOnce } from "./only.ts";
import { SAMPLES, sampledProviders, TEXT } from "./samples.ts";

/** Of schemes whose keys are secret, and of those that cost a public-key operation or two. */
const [RUNS, COSTLY_RUNS] = [40, 15];

const TEN_YEARS_MS = 315_576_000_000;

const bytes = fc.uint8Array({ maxLength: 300 });
const seconds = fc.integer({ min: 0, max: 4_000_000_000 });

/** Text that can be a secret as it stands. */
const secretText = fc
  .string({ unit: "binary", minLength: 1, maxLength: 80 })
  .filter((value) => value.replaceAll("\0", "").trim() !== "");

/** A delivery with a body, a time and, where any text will do, a secret at random. */
interface Random {
  readonly sample: ProviderSample & { readonly now: number };
  readonly request: WebhookRequest;
}

function randomDeliveries(provider: Provider, given: ProviderSample): fc.Arbitrary<Random> {
  const { carry } = given;
  const texts = fc.string({ unit: "grapheme", maxLength: 100 });
  // Thirteen digits in milliseconds, ten in seconds: a time is found by them.
  const times = given.now === undefined ? { min: 1e12, max: 4e12 } : { min: given.now, max: given.now + TEN_YEARS_MS };
  return fc
    .record({
      text: texts,
      raw: bytes,
      now: fc.integer(times),
      secret: given.secret === TEXT.secret ? secretText : fc.constant(given.secret),
    })
    .map(({ text, raw, now, secret }) => {
      const sample = { ...given, body: carry ? carry(text, now) : raw, now, secret };
      return { sample, request: deliveryOf(provider, sample) };
    });
}

/** A copy with the bit flipped that `at` points to, counted around. */
function flipped(before: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(before);
  const bit = at % (copy.byteLength * 8);
  copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return copy;
}

describe("properties of signatures", () => {
  it("are specified for every provider that the package exports", () => {
    expect(sampledProviders()).to.deep.equal(exportedProviders());
  });

  for (const [make, ...samples] of SAMPLES) {
    const provider = (make as () => Provider)();
    for (const sample of samples) describe(`of ${provider.name}, ${sample.name}`, () => propertiesOf(provider, sample));
  }
});

function propertiesOf(provider: Provider, given: ProviderSample): void {
  const { notSigned, carry, changes } = given;
  const deliveries = randomDeliveries(provider, given);
  const runs = { numRuns: given.verifyingSecret === undefined && !given.secret.includes("-----") ? RUNS : COSTLY_RUNS };

  async function expectRefused(request: WebhookRequest, sample: ProviderSample): Promise<void> {
    expect(await verdict(provider, sample, request)).to.have.property("verified", false);
  }

  it("what is signed is verified", async () => {
    const property = fc.asyncProperty(deliveries, async ({ sample, request }) => {
      expect(await verdict(provider, sample, request)).to.deep.equal({ verified: true, matchedSecret: "it" });
    });
    await fc.assert(property, runs);
  });

  if (notSigned !== "body") {
    it("another body is refused", async () => {
      const property = fc.asyncProperty(deliveries, deliveries, async ({ sample, request }, { request: { body } }) => {
        fc.pre(!Buffer.from(request.body).equals(body));
        await expectRefused({ ...request, body }, sample);
      });
      await fc.assert(property, runs);
    });
  }

  if (notSigned === undefined) {
    it("a body with one bit flipped, cut off or added is refused", async () => {
      const property = fc.asyncProperty(deliveries, fc.nat(), async ({ sample, request }, at) => {
        fc.pre(request.body.byteLength > 0);
        const body = Buffer.from(request.body);
        for (const other of [
          flipped(body, at),
          body.subarray(0, at % body.byteLength),
          Buffer.concat([body, Buffer.from([at & 0xff])]),
        ]) {
          await expectRefused({ ...request, body: other }, sample);
        }
      });
      await fc.assert(property, runs);
    });
  }

  if (notSigned !== undefined && carry) {
    it("another text in the body is refused", async () => {
      const texts = fc.string({ unit: "grapheme", maxLength: 100 });
      const property = fc.asyncProperty(deliveries, texts, texts, async ({ sample }, text, other) => {
        fc.pre(text !== other);
        const { now } = sample;
        const request = deliveryOf(provider, { ...sample, body: carry(text, now) });
        const changed = given.signatureInBody
          ? resigned(deliveryOf(provider, { ...sample, body: carry(other, now) }), request, sample)
          : { ...request, body: Buffer.from(carry(other, now)) };
        await expectRefused(changed, sample);
      });
      await fc.assert(property, runs);
    });
  }

  /** The one delivery with the signature of the other. */
  function resigned(one: WebhookRequest, other: WebhookRequest, sample: ProviderSample): WebhookRequest {
    const signature = signatureOf(provider, sample, other) ?? expect.fail("there is no signature");
    return signatureOf(provider, sample, one)?.put(signature.bytes) ?? expect.fail("there is no signature");
  }

  it("a signature with one bit flipped is refused, and one of another length", async () => {
    const property = fc.asyncProperty(deliveries, fc.nat(), bytes, async ({ sample, request }, at, other) => {
      const signature = signatureOf(provider, sample, request) ?? expect.fail("there is no signature");
      await expectRefused(signature.put(flipped(signature.bytes, at)), sample);
      const more = other.byteLength > 0 ? other : Buffer.alloc(1);
      await expectRefused(signature.put(Buffer.concat([signature.bytes, more])), sample);
      await expectRefused(signature.put(signature.bytes.subarray(0, at % signature.bytes.byteLength)), sample);
      fc.pre(signature.bytes.byteLength !== other.byteLength);
      await expectRefused(signature.put(other), sample);
    });
    await fc.assert(property, runs);
  });

  if (changes) {
    it("a change of what else is signed is refused", async () => {
      const property = fc.asyncProperty(deliveries, fc.nat(), async ({ sample, request }, at) => {
        const all = [...changes(request)];
        await expectRefused(all[at % all.length] ?? expect.fail("there is no change"), sample);
      });
      await fc.assert(property, runs);
    });
  }

  const { now = Date.parse("2023-11-14") } = given;
  const sample = { ...given, now };
  if (stampsOf(deliveryOf(provider, sample), signedHeaders(provider, sample), now).length > 0) {
    it("another timestamp is refused", async () => {
      const drifts = fc.integer({ min: 1, max: 300 });
      const property = fc.asyncProperty(deliveries, drifts, fc.boolean(), async (delivery, drift, earlier) => {
        const { sample: own, request } = delivery;
        for (const { name, value, text, later } of stampsOf(request, signedHeaders(provider, own), own.now)) {
          const other = value.replace(text, later((earlier ? -drift : drift) * 1000));
          await expectRefused({ ...request, headers: { ...request.headers, [name]: other } }, own);
        }
      });
      await fc.assert(property, runs);
    });
  }

  const names = Object.keys(signedHeaders(provider, sample)).filter((name) => !given.unsignedHeaders?.includes(name));
  if (names.length > 0) {
    it("no header makes it throw, or pass", async () => {
      const value = fc.string({ unit: "binary", maxLength: 400 });
      const name = fc.constantFrom(...names);
      const property = fc.asyncProperty(deliveries, name, value, async ({ sample: own, request }, header, text) => {
        await expectRefused({ ...request, headers: { ...request.headers, [header]: text } }, own);
      });
      await fc.assert(property, runs);
    });
  }
}

describe("properties of stripe's timestamp", () => {
  const provider = stripe();
  const form = provider.secrets.signingSecrets ?? expect.fail("Stripe takes signing secrets");
  const keys = [{ label: "it", scheme: form.scheme, key: form.parse("whsec_1") }];
  const signed = (body: Uint8Array, now: number) => {
    return provider.sign(body, { secret: "whsec_1", now: now * 1000 })["stripe-signature"] ?? "";
  };
  const verify = (header: string, body: Uint8Array, now: number) => {
    const request = { method: "POST", url: "/", headers: { "stripe-signature": header }, body };
    return atOnce(provider.verify(request, { keys, now: now * 1000, toleranceSeconds: 300 }));
  };

  it("cannot be changed", () => {
    fc.assert(
      fc.property(bytes, seconds, fc.integer({ min: -300, max: 300 }), (body, now, drift) => {
        fc.pre(drift !== 0 && now + drift >= 0);
        const header = signed(body, now).replace(`t=${now}`, `t=${now + drift}`);
        expect(verify(header, body, now)).to.deep.equal({ verified: false, reason: "bad_signature" });
      }),
    );
  });

  it("cannot be moved into the body, nor the body into it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 2_000_000_000 }), fc.nat(9), (now, digit) => {
        const header = signed(Buffer.from(`${digit}.x`), now);
        const moved = header.replace(`t=${now}`, `t=${now}${digit}`);
        expect(verify(moved, Buffer.from(".x"), now * 10 + digit).verified).to.equal(false);
        expect(verify(moved, Buffer.from("x"), now * 10 + digit).verified).to.equal(false);
      }),
    );
  });

  it("is good for five minutes either way", () => {
    fc.assert(
      fc.property(
        bytes,
        fc.integer({ min: 1000, max: 2_000_000_000 }),
        fc.integer({ min: -900, max: 900 }),
        (body, then, age) => {
          const late: Verification = { verified: false, reason: age > 0 ? "timestamp_too_old" : "timestamp_in_future" };
          const expected: Verification = Math.abs(age) <= 300 ? { verified: true, matchedSecret: "it" } : late;
          expect(verify(signed(body, then), body, then + age)).to.deep.equal(expected);
        },
      ),
    );
  });
});

describe("properties of conekta's key", () => {
  it("is the one that the gem publishes, so that these specs prove something", () => {
    expect(createPrivateKey(PRIVATE_PEM).asymmetricKeyDetails?.modulusLength).to.equal(2048);
  });
});
