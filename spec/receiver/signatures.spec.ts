import { createHmac, randomBytes } from "node:crypto";
import { expect } from "chai";
import { conekta } from "../../src/providers/conekta.ts";
import type { RejectionReason, SecretSetting } from "../../src/providers/provider.ts";
import { OTHER, PRIVATE_PEM, PUBLIC_PEM } from "../providers/keys.ts";
import { plainEventBus } from "../support/bus.ts";
import { FakeClock } from "../support/clock.ts";
import {
  type Answer,
  anEvent,
  bareConektaBus,
  bytes,
  Closing,
  type Headers,
  idsOf,
  logOf,
  RECEIVED,
  REFUSED,
  SECRET,
  type SpecBus,
  serve,
  stepsOf,
  stripeBus,
} from "./harness.ts";

/** What each hint must at least speak of. */
const HINTS: Record<RejectionReason, RegExp> = {
  missing_header: /^the signature header is missing: .*proxy pass the header on\?$/,
  malformed_header: /^the signature header cannot be read: .*proxy rewrite or repeat it\?$/,
  no_expected_scheme: /^the signature header holds no scheme in use: .*proxy rewrite it\?$/,
  bad_signature: /^no secret matches: .*this environment, copied whole\? Does .*parse, decompress or rewrite the body/,
  bad_body_hash: /^the body is not the one that was signed: .*rewrite it before hookbus reads it\?$/,
  timestamp_too_old: /^signed too long ago: .*clock right, or is it a replay\?$/,
  timestamp_in_future: /^signed in the future: .*clock right\?$/,
};

/** The one answer to every delivery whose signature is not good. */
const UNAUTHORIZED: Answer = {
  status: 401,
  headers: { "content-type": "application/json", "content-length": `${REFUSED.length}`, connection: "close" },
  body: REFUSED,
};

type Row = [title: string, reason: RejectionReason, headers: Headers];

describe("a delivery without a good signature", () => {
  const closing = new Closing();
  afterEach(() => closing.close());

  const clock = new FakeClock();
  const now = clock.now() / 1000;
  const event = anEvent({ data: { object: { note: "payload-marker" } } });
  const body = bytes(event);

  describe("of Stripe", () => {
    const digest = (t: number | string, secret = SECRET, over: Buffer = body): string =>
      createHmac("sha256", secret).update(`${t}.`).update(over).digest("hex");
    const good = digest(now);
    const stripe = (value: string | string[]): Headers => ({ "stripe-signature": value });
    const genuine = `t=${now},v1=${good}`;

    const rows: Row[] = [
      ["no header", "missing_header", {}],
      ["an empty header", "missing_header", stripe("")],
      ["a blank header", "missing_header", stripe("  \t ")],
      ["the header twice", "malformed_header", stripe([genuine, genuine])],
      [
        "the header twice, the first one forged",
        "malformed_header",
        stripe([`t=${now},v1=${"0".repeat(64)}`, genuine]),
      ],
      ["64 KB of a letter", "malformed_header", stripe("a".repeat(65_536))],
      ["64 KB behind a good signature", "malformed_header", stripe(`${genuine},v0=${"a".repeat(65_536)}`)],
      ["letters beyond ASCII", "malformed_header", stripe("é".repeat(30))],
      ["a digest of letters beyond ASCII", "bad_signature", stripe(`t=${now},v1=${"é".repeat(64)}`)],
      ["JSON", "malformed_header", stripe('{"t":1}')],
      ["commas", "malformed_header", stripe(",".repeat(100))],
      ["thousands of v1", "malformed_header", stripe(`t=${now}${`,v1=${"0".repeat(64)}`.repeat(3_000)}`)],
      [
        "as many wrong v1 as there is room for",
        "bad_signature",
        stripe(`t=${now}${`,v1=${"0".repeat(64)}`.repeat(58)}`),
      ],
      ["thousands of empty v1", "malformed_header", stripe(`t=${now}${",v1=".repeat(3_000)}`)],
      ["an empty v1", "bad_signature", stripe(`t=${now},v1=`)],
      ["a digest cut short", "bad_signature", stripe(`t=${now},v1=${good.slice(0, 62)}`)],
      ["an odd digest", "bad_signature", stripe(`t=${now},v1=${good.slice(0, 63)}`)],
      ["a digest too long", "bad_signature", stripe(`t=${now},v1=${good}00`)],
      ["an upper-case digest", "bad_signature", stripe(`t=${now},v1=${good.toUpperCase()}`)],
      ["a digest with junk behind", "bad_signature", stripe(`t=${now},v1=${good} `.concat("x"))],
      ["the digest in base64", "bad_signature", stripe(`t=${now},v1=${Buffer.from(good, "hex").toString("base64")}`)],
      ["v0 alone", "no_expected_scheme", stripe(`t=${now},v0=${good}`)],
      ["no scheme", "no_expected_scheme", stripe(`t=${now}`)],
      ["no t", "malformed_header", stripe(`v1=${digest("")}`)],
      ["an empty t", "malformed_header", stripe(`t=,v1=${digest("")}`)],
      ["t=abc", "malformed_header", stripe(`t=abc,v1=${digest("abc")}`)],
      ["t=abc, signed as NaN", "malformed_header", stripe(`t=abc,v1=${digest("NaN")}`)],
      ["a negative t", "malformed_header", stripe(`t=-${now},v1=${digest(-now)}`)],
      ["a t with junk behind", "malformed_header", stripe(`t=${now}junk,v1=${digest(`${now}junk`)}`)],
      ["a t in hundredths", "timestamp_in_future", stripe(`t=${now}00,v1=${digest(`${now}00`)}`)],
      ["301 s old", "timestamp_too_old", stripe(`t=${now - 301},v1=${digest(now - 301)}`)],
      ["301 s ahead", "timestamp_in_future", stripe(`t=${now + 301},v1=${digest(now + 301)}`)],
      ["301 s old and forged", "bad_signature", stripe(`t=${now - 301},v1=${good}`)],
      ["another secret", "bad_signature", stripe(`t=${now},v1=${digest(now, "whsec_other")}`)],
      ["another body", "bad_signature", stripe(`t=${now},v1=${digest(now, SECRET, Buffer.from("{}"))}`)],
      ["another t than was signed", "bad_signature", stripe(`t=${now + 1},v1=${good}`)],
      ["the signature in another header", "missing_header", { "x-stripe-signature": genuine }],
    ];
    for (const [title, reason, headers] of rows) {
      it(`is a 401 that tells nothing: ${title}`, async () => {
        await expectUnauthorized(stripeBus({ clock }), reason, headers);
      });
    }

    for (const [title, t] of [
      ["300 s old", now - 300],
      ["300 s ahead", now + 300],
    ] as const) {
      it(`is not one ${title}`, async () => {
        const bus = stripeBus({ clock });
        const wire = closing.add(await serve(bus));
        expect(await wire.post(body, { headers: stripe(`t=${t},v1=${digest(t)}`) })).to.include({
          status: 200,
          body: RECEIVED,
        });
      });
    }

    it("is measured by the tolerance that is set", async () => {
      const bus = stripeBus({ clock });
      bus.tolerance = 10;
      const steps = stepsOf(bus, "hookbus.receive");
      const wire = closing.add(await serve(bus));
      const statuses: number[] = [];
      for (const t of [now - 11, now + 11, now - 10]) {
        statuses.push((await wire.post(body, { headers: stripe(`t=${t},v1=${digest(t)}`) })).status);
      }
      expect(statuses).to.deep.equal([401, 401, 200]);
      expect(steps.map(({ reason }) => reason)).to.deep.equal(["timestamp_too_old", "timestamp_in_future", undefined]);
    });
  });

  const digests: [setting: SecretSetting, key: string, rows: Row[]][] = [
    ["webhookKeys", PUBLIC_PEM, conektaRows("webhookKeys", "privateSignature")],
    ["privateSignature", PRIVATE_PEM, conektaRows("privateSignature", "webhookKeys")],
  ];

  function conektaRows(setting: SecretSetting, other: SecretSetting): Row[] {
    const sign = (over: Buffer, secret = PRIVATE_PEM, as = setting): string =>
      conekta().sign(over, { secret, setting: as })["digest"] ?? "";
    const good = sign(body);
    const raw = Buffer.from(good, "base64");
    const digest = (value: string | string[]): Headers => ({ digest: value });
    // 256 bytes end in one padded group of two characters, the second of which has four bits to spare.
    const stray = good.replace(/.==$/, (end) => `${{ A: "B", Q: "R", g: "h", w: "x" }[end[0] ?? ""]}==`);
    return [
      ["no header", "missing_header", {}],
      ["an empty header", "missing_header", digest("")],
      ["a blank header", "missing_header", digest(" \t")],
      ["the header twice", "bad_signature", digest([good, good])],
      ["64 KB of a letter", "bad_signature", digest("a".repeat(65_536))],
      ["letters beyond ASCII", "bad_signature", digest("ñ".repeat(344))],
      ["not base64", "bad_signature", digest("%".repeat(344))],
      ["random bytes of the right length", "bad_signature", digest(randomBytes(256).toString("base64"))],
      ["zeros of the right length", "bad_signature", digest(Buffer.alloc(256).toString("base64"))],
      ["a number above the modulus", "bad_signature", digest(Buffer.alloc(256, 0xff).toString("base64"))],
      ["cut short", "bad_signature", digest(raw.subarray(0, 255).toString("base64"))],
      ["too long", "bad_signature", digest(Buffer.concat([raw, Buffer.alloc(1)]).toString("base64"))],
      ["a zero before it", "bad_signature", digest(Buffer.concat([Buffer.alloc(1), raw]).toString("base64"))],
      ["no padding", "bad_signature", digest(good.replace(/=+$/, ""))],
      ["the URL alphabet", "bad_signature", digest(`${raw.toString("base64url")}==`.replace(/^[^_-]*$/, "-"))],
      ["stray bits", "bad_signature", digest(stray)],
      ["hex", "bad_signature", digest(raw.toString("hex"))],
      ["a space inside", "bad_signature", digest(`${good.slice(0, 100)} ${good.slice(100)}`)],
      ["a scheme before it", "bad_signature", digest(`sha-256=${good}`)],
      ["another body", "bad_signature", digest(sign(Buffer.from("{}")))],
      ["another key", "bad_signature", digest(sign(body, OTHER.privatePem))],
      ["the scheme of the other setting", "bad_signature", digest(sign(body, PRIVATE_PEM, other))],
    ];
  }

  for (const [setting, key, rows] of digests) {
    describe(`of Conekta, ${setting}`, () => {
      const conektaBus = (): SpecBus => {
        const bus = bareConektaBus({ clock });
        bus[setting] = key;
        return bus;
      };

      for (const [title, reason, headers] of rows) {
        it(`is a 401 that tells nothing: ${title}`, async () => {
          await expectUnauthorized(conektaBus(), reason, headers);
        });
      }

      it("is not one with the signature that is good, spaces around it or not", async () => {
        const bus = conektaBus();
        const wire = closing.add(await serve(bus));
        const good = conekta().sign(body, { secret: PRIVATE_PEM, setting });
        expect(await wire.post(body, { headers: good })).to.include({ status: 200, body: RECEIVED });
        const padded = { Digest: `  ${good["digest"]} ` };
        expect(await wire.post(body, { headers: padded })).to.include({ status: 200, body: RECEIVED });
      });
    });
  }

  for (const [reason, hint] of Object.entries(HINTS) as [RejectionReason, RegExp][]) {
    it(`has a hint for the operator: ${reason}`, async () => {
      const bus = plainEventBus({}, { verify: () => ({ verified: false, reason }) });
      bus.signingSecrets = "secret";
      const receipt = await bus.receive({ method: "POST", url: "/", headers: {}, body });
      expect(receipt).to.deep.equal({
        status: 401,
        headers: { "content-type": "application/json" },
        body: REFUSED,
        outcome: "rejected",
      });
      expect(logOf(bus)[0]?.fields).to.have.property("hint").that.matches(hint);
    });
  }

  async function expectUnauthorized(bus: SpecBus, reason: RejectionReason, headers: Headers): Promise<void> {
    const ids = idsOf(bus);
    const steps = stepsOf(bus);
    const errors: unknown[] = [];
    bus.onError = (error) => errors.push(error);
    const wire = closing.add(await serve(bus));

    expect(await wire.post(body, { headers })).to.deep.equal(UNAUTHORIZED);

    expect(ids).to.deep.equal([]);
    expect(errors).to.deep.equal([]);
    const inTime = steps.filter(({ name }) => name !== "hookbus.diagnose");
    expect(inTime.map((step) => [step.name, step.outcome, step.reason, step.error])).to.deep.equal([
      ["hookbus.verify", "rejected", reason, undefined],
      ["hookbus.receive", "rejected", reason, undefined],
    ]);
    const [line, ...others] = logOf(bus).filter(({ fields }) => !("finding" in (fields ?? {})));
    expect(others).to.deep.equal([]);
    expect(line).to.include({ level: "warn", message: `hookbus: delivery refused: ${reason}` });
    expect(line?.fields).to.have.all.keys("bus", "status", "reason", "hint");
    expect(line?.fields).to.include({ bus: bus.name, status: 401, reason });
    expect(line?.fields).to.have.property("hint").that.matches(HINTS[reason]);
  }
});
