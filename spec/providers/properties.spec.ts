import { createPrivateKey } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { conekta } from "../../src/providers/conekta.ts";
import type { Provider, SecretSetting, SigningKey, Verification } from "../../src/providers/provider.ts";
import { stripe } from "../../src/providers/stripe.ts";
import { PRIVATE_PEM, PUBLIC_PEM } from "./keys.ts";
import { atOnce } from "./only.ts";

/** One way to sign: a provider, the setting, and how its header is taken apart and put together again. */
interface Way {
  readonly name: string;
  readonly provider: Pick<Provider, "sign" | "verify" | "secrets" | "toleranceSeconds">;
  readonly setting: SecretSetting;
  /** Pairs of what signs and what verifies. */
  readonly secrets: fc.Arbitrary<{ readonly signing: string; readonly verifying: string }>;
  readonly header: string;
  /** The decoded signature. */
  decode(value: string): Buffer;
  /** The header with another signature in it. */
  encode(value: string, signature: Buffer): string;
  readonly runs: number;
}

const text = fc
  .string({ unit: "binary", minLength: 1, maxLength: 80 })
  .filter((value) => value.replaceAll("\0", "").trim() !== "");
const conektaSecrets = (verifying: string) => fc.constant({ signing: PRIVATE_PEM, verifying });
const inBase64 = {
  header: "digest",
  decode: (value: string) => Buffer.from(value, "base64"),
  encode: (_value: string, signature: Buffer) => signature.toString("base64"),
};

const WAYS: readonly Way[] = [
  {
    name: "stripe",
    provider: stripe(),
    setting: "signingSecrets",
    secrets: text.map((secret) => ({ signing: secret, verifying: secret })),
    header: "stripe-signature",
    decode: (value) => Buffer.from(value.slice(value.indexOf("v1=") + 3), "hex"),
    encode: (value, signature) => `${value.slice(0, value.indexOf("v1=") + 3)}${signature.toString("hex")}`,
    runs: 200,
  },
  {
    name: "conekta, webhook keys",
    provider: conekta(),
    setting: "webhookKeys",
    secrets: conektaSecrets(PUBLIC_PEM),
    ...inBase64,
    runs: 60,
  },
  {
    name: "conekta, private signature",
    provider: conekta(),
    setting: "privateSignature",
    secrets: conektaSecrets(PRIVATE_PEM),
    ...inBase64,
    runs: 60,
  },
];

const bytes = fc.uint8Array({ maxLength: 300 });
const seconds = fc.integer({ min: 0, max: 4_000_000_000 });

for (const way of WAYS) {
  const { provider, setting } = way;

  function keyOf(secret: string): SigningKey {
    const form = provider.secrets[setting] ?? expect.fail(`no ${setting}`);
    return { label: "it", scheme: form.scheme, key: form.parse(secret) };
  }

  function sign(body: Uint8Array, secret: string, now: number): string {
    return provider.sign(body, { secret, setting, now: now * 1000 })[way.header] ?? expect.fail("no header");
  }

  function verify(value: string, body: Uint8Array, secret: string, now: number): Verification {
    const request = { method: "POST", url: "/", headers: { [way.header]: value }, body };
    const { toleranceSeconds } = provider;
    return atOnce(provider.verify(request, { keys: [keyOf(secret)], now: now * 1000, toleranceSeconds }));
  }

  const deliveries = fc.record({ body: bytes, secrets: way.secrets, now: seconds });
  const bad: Verification = { verified: false, reason: "bad_signature" };

  describe(`properties of ${way.name}`, () => {
    it("what is signed is verified", () => {
      fc.assert(
        fc.property(deliveries, ({ body, secrets, now }) => {
          const value = sign(body, secrets.signing, now);
          expect(verify(value, body, secrets.verifying, now)).to.deep.equal({ verified: true, matchedSecret: "it" });
        }),
        { numRuns: way.runs },
      );
    });

    it("another body is refused", () => {
      fc.assert(
        fc.property(deliveries, bytes, ({ body, secrets, now }, other) => {
          fc.pre(!Buffer.from(body).equals(other));
          const value = sign(body, secrets.signing, now);
          expect(verify(value, other, secrets.verifying, now)).to.deep.equal(bad);
        }),
        { numRuns: way.runs },
      );
    });

    it("a body with one bit flipped is refused", () => {
      fc.assert(
        fc.property(deliveries, fc.nat(), ({ body, secrets, now }, at) => {
          fc.pre(body.byteLength > 0);
          const value = sign(body, secrets.signing, now);
          expect(verify(value, flipped(body, at), secrets.verifying, now)).to.deep.equal(bad);
        }),
        { numRuns: way.runs },
      );
    });

    it("a signature with one bit flipped is refused", () => {
      fc.assert(
        fc.property(deliveries, fc.nat(), ({ body, secrets, now }, at) => {
          const value = sign(body, secrets.signing, now);
          const changed = way.encode(value, flipped(way.decode(value), at));
          expect(verify(changed, body, secrets.verifying, now)).to.deep.equal(bad);
        }),
        { numRuns: way.runs },
      );
    });

    it("a signature of another length is refused", () => {
      fc.assert(
        fc.property(deliveries, fc.uint8Array({ maxLength: 300 }), ({ body, secrets, now }, other) => {
          const value = sign(body, secrets.signing, now);
          const signature = way.decode(value);
          fc.pre(signature.byteLength !== other.byteLength);
          expect(verify(way.encode(value, Buffer.from(other)), body, secrets.verifying, now).verified).to.equal(false);
          const longer = Buffer.concat([signature, other.byteLength > 0 ? other : Buffer.alloc(1)]);
          expect(verify(way.encode(value, longer), body, secrets.verifying, now)).to.deep.equal(bad);
        }),
        { numRuns: way.runs },
      );
    });

    it("no header makes it throw, or pass", () => {
      fc.assert(
        fc.property(fc.string({ unit: "binary", maxLength: 400 }), deliveries, (value, { body, secrets, now }) => {
          expect(verify(value, body, secrets.verifying, now).verified).to.equal(false);
        }),
        { numRuns: way.runs },
      );
    });
  });
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

/** A copy with the bit flipped that `at` points to, counted around. */
function flipped(bytesBefore: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytesBefore);
  const bit = at % (copy.byteLength * 8);
  copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return copy;
}
