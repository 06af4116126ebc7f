import { createHmac } from "node:crypto";
import { expect } from "chai";
import Stripe from "stripe";
import { ConfigurationError } from "../../src/errors.ts";
import type { SecretSetting, SigningKey, Verification } from "../../src/providers/provider.ts";
import { stripe } from "../../src/providers/stripe.ts";
import { fixture } from "./fixture.ts";
import { atOnce } from "./only.ts";

const SECRET = "whsec_test_secret";
const NOW = 1_700_000_000;
const BODY = Buffer.from(JSON.stringify(fixture("stripe/charge.succeeded.json")));

const provider = stripe();
const form = provider.secrets.signingSecrets;
if (!form) throw new Error("Stripe takes signing secrets");

function key(secret: string, label = secret): SigningKey {
  return { label, scheme: form?.scheme ?? "", key: (form ?? expect.fail()).parse(secret) };
}

const digest = (timestamp: number | string = NOW, secret = SECRET, body: Uint8Array = BODY): string =>
  createHmac("sha256", secret).update(`${timestamp}.`).update(body).digest("hex");
const header = (timestamp: number | string = NOW): string => `t=${timestamp},v1=${digest(timestamp)}`;

interface Attempt {
  readonly keys?: readonly SigningKey[];
  readonly now?: number;
  readonly body?: Uint8Array;
  readonly tolerance?: number;
}

function verify(signature: unknown, attempt: Attempt = {}): Verification {
  const headers = signature === undefined ? {} : { "stripe-signature": signature as string };
  return atOnce(
    provider.verify(
      { method: "POST", url: "/", headers, body: attempt.body ?? BODY },
      {
        keys: attempt.keys ?? [key(SECRET)],
        now: attempt.now ?? NOW * 1000,
        toleranceSeconds: attempt.tolerance ?? provider.toleranceSeconds,
      },
    ),
  );
}

const accepted = (label = SECRET): Verification => ({ verified: true, matchedSecret: label });
const refused = (reason: string): unknown => ({ verified: false, reason });

describe("stripe", () => {
  it("says what it is", () => {
    const { name, namespace, delimiter, methods, toleranceSeconds } = provider;
    expect({ name, namespace, delimiter, methods, toleranceSeconds }).to.deep.equal({
      name: "stripe",
      namespace: "stripe_event",
      delimiter: ".",
      methods: ["POST"],
      toleranceSeconds: 300,
    });
    expect(Object.keys(provider.secrets)).to.deep.equal(["signingSecrets"]);
    expect(provider.handshakes).to.equal(undefined);
    expect(provider.success).to.equal(undefined);
  });

  it("refuses an `apiBase` that is not an origin", () => {
    const odd = ["", "127.0.0.1:1", "ftp://127.0.0.1", "http://a/v1", "http://a/?b", "http://a/#b", "http://u@a"];
    for (const apiBase of [...odd, "http://:p@a", "javascript:1"]) {
      expect(() => stripe({ apiBase }), apiBase).to.throw(
        ConfigurationError,
        "`apiBase` must be an http or https origin, like http://127.0.0.1:12111",
      );
    }
    for (const apiBase of ["http://127.0.0.1:12111", "https://api.stripe.com/", "http://[::1]:80"]) stripe({ apiBase });
  });

  describe("verify", () => {
    it("takes a genuine delivery", () => {
      expect(verify(header())).to.deep.equal(accepted());
    });

    it("takes the header whatever its case, and in an array of one", () => {
      const request = { method: "POST", url: "/", headers: { "STRIPE-Signature": [header()] }, body: BODY };
      const options = { keys: [key(SECRET)], now: NOW * 1000, toleranceSeconds: 300 };
      expect(provider.verify(request, options)).to.deep.equal(accepted());
    });

    it("takes bytes that are no text", () => {
      const body = Buffer.from([0xef, 0xbb, 0xbf, 0xff, 0xfe, 0, 0x80]);
      expect(verify(`t=${NOW},v1=${digest(NOW, SECRET, body)}`, { body })).to.deep.equal(accepted());
      expect(verify(`t=${NOW},v1=${digest(NOW, SECRET, body)}`, { body: body.subarray(3) })).to.deep.equal(
        refused("bad_signature"),
      );
    });

    it("misses a header that is absent, empty, blank or no text", () => {
      for (const odd of [undefined, "", "  ", [], 5, null]) {
        expect(verify(odd)).to.deep.equal(refused("missing_header"));
      }
    });

    it("refuses a header that came twice", () => {
      for (const twice of [[header(), header()], `${header()}, ${header()}`, `${header()},${header()}`]) {
        expect(verify(twice)).to.deep.equal(refused("malformed_header"));
      }
      expect(verify(`t=${NOW},t=${NOW},v1=${digest()}`)).to.deep.equal(refused("malformed_header"));
      expect(verify(` t=${NOW - 9},t=${NOW},v1=${digest()}`)).to.deep.equal(refused("malformed_header"));
      expect(verify(`t,t=${NOW},v1=${digest()}`)).to.deep.equal(refused("malformed_header"));
    });

    it("refuses a header that is too long, however good it is", () => {
      const padded = (length: number) =>
        header()
          .padEnd(length - 3, ",")
          .concat(",x=");
      expect(verify(padded(4096))).to.deep.equal(accepted());
      expect(verify(padded(4097))).to.deep.equal(refused("malformed_header"));
      expect(verify(`${header()}${",v1=00".repeat(11_000)}`)).to.deep.equal(refused("malformed_header"));
      expect(verify("x".repeat(65_536))).to.deep.equal(refused("malformed_header"));
    });

    it("refuses a header without a proper timestamp", () => {
      const good = `v1=${digest()}`;
      const odd = [
        "",
        "abc",
        "-1",
        `+${NOW}`,
        ` ${NOW}`,
        `${NOW} `,
        `${NOW}.0`,
        `${NOW}junk`,
        "1e9",
        "0x1",
        "NaN",
        "²",
      ];
      for (const t of [...odd, "1000000000000000"]) {
        expect(verify(`t=${t},v1=${digest(t)}`), t).to.deep.equal(refused("malformed_header"));
      }
      for (const text of [good, `t,${good}`, `T=${NOW},${good}`, "garbage", ",,", "=", "t=", "t", ` ,${good}`]) {
        expect(verify(text), text).to.deep.equal(refused("malformed_header"));
      }
      // Node trims header values; behind a comma the space stays, and ` t` is no `t`.
      expect(verify(`${good}, t=${NOW}`)).to.deep.equal(refused("malformed_header"));
    });

    it("refuses a header with other schemes only", () => {
      for (const scheme of ["v0", "v2", "V1", " v1", "v1 ", "v10", ""]) {
        expect(verify(`t=${NOW},${scheme}=${digest()}`), scheme).to.deep.equal(refused("no_expected_scheme"));
      }
      expect(verify(`t=${NOW}`)).to.deep.equal(refused("no_expected_scheme"));
    });

    it("takes nothing for a signature that is not one", () => {
      const good = digest();
      const odd = [
        "",
        "0",
        good.toUpperCase(),
        good.slice(1),
        `${good}0`,
        `=${good}`,
        `0x${good.slice(2)}`,
        ` ${good}`,
      ];
      for (const v1 of [...odd, "ä".repeat(64), "🦊".repeat(32), `${good.slice(0, 63)}ı`, "g".repeat(64)]) {
        expect(verify(`t=${NOW},v1=${v1}`), v1).to.deep.equal(refused("bad_signature"));
        expect(verify(`t=${NOW},v1=${v1},v1=${good}`), v1).to.deep.equal(accepted());
        expect(verify(`t=${NOW},v1=${good},v1=${v1}`), v1).to.deep.equal(accepted());
      }
      expect(verify(`t=${NOW},v1`)).to.deep.equal(refused("bad_signature"));
    });

    it("takes a good signature beside other schemes, in any order", () => {
      const other = "0".repeat(64);
      expect(verify(`v0=${other},v1=${digest()},t=${NOW},v2=x`)).to.deep.equal(accepted());
      expect(verify(`t=${NOW},v1=${other},v0=${digest()}`)).to.deep.equal(refused("bad_signature"));
    });

    it("refuses another body, timestamp or secret", () => {
      expect(verify(header(), { body: Buffer.concat([BODY, Buffer.from("\n")]) })).to.deep.equal(
        refused("bad_signature"),
      );
      expect(verify(`t=${NOW + 1},v1=${digest()}`)).to.deep.equal(refused("bad_signature"));
      expect(verify(header(), { keys: [key("whsec_other")] })).to.deep.equal(refused("bad_signature"));
    });

    it("signs the timestamp as it was written", () => {
      const written = `00${NOW}`;
      expect(verify(`t=${written},v1=${digest(written)}`)).to.deep.equal(accepted());
      expect(verify(`t=${written},v1=${digest()}`)).to.deep.equal(refused("bad_signature"));
    });

    it("takes five minutes either way, and not a second more", () => {
      expect(verify(header(), { now: (NOW + 300) * 1000 + 999 })).to.deep.equal(accepted());
      expect(verify(header(), { now: (NOW + 301) * 1000 })).to.deep.equal(refused("timestamp_too_old"));
      expect(verify(header(), { now: (NOW - 300) * 1000 })).to.deep.equal(accepted());
      expect(verify(header(), { now: (NOW - 301) * 1000 })).to.deep.equal(refused("timestamp_in_future"));
      expect(verify(header(), { now: (NOW + 11) * 1000, tolerance: 10 })).to.deep.equal(refused("timestamp_too_old"));
    });

    it("looks at the signature before the clock", () => {
      const keys = [key("whsec_other")];
      expect(verify(header(), { keys, now: 0 })).to.deep.equal(refused("bad_signature"));
      expect(verify(header(), { keys, now: NOW * 2000 })).to.deep.equal(refused("bad_signature"));
    });

    it("names the secret that matched", () => {
      const keys = [key("whsec_new", "new"), key(SECRET, "old"), key("whsec_x", "x")];
      expect(verify(header(), { keys })).to.deep.equal(accepted("old"));
      expect(verify(header(), { keys: [...keys].reverse() })).to.deep.equal(accepted("old"));
      expect(verify(header(), { keys: [key(SECRET, "first"), key(SECRET, "second")] })).to.deep.equal(
        accepted("first"),
      );
    });

    it("takes no key of another scheme, and nothing without a key", () => {
      expect(verify(header(), { keys: [{ ...key(SECRET), scheme: "v0" }] })).to.deep.equal(refused("bad_signature"));
      expect(verify(header(), { keys: [] })).to.deep.equal(refused("bad_signature"));
    });

    it("uses a secret as it stands, whsec_ and line ends included", () => {
      for (const secret of [SECRET.slice(6), `${SECRET}\n`, ` ${SECRET}`]) {
        expect(verify(header(), { keys: [key(secret)] })).to.deep.equal(refused("bad_signature"));
      }
    });
  });

  describe("signing secrets", () => {
    it("may be several, of the scheme v1", () => {
      expect(form.several).to.equal(true);
      expect(form.scheme).to.equal("v1");
    });

    it("may not be blank", () => {
      for (const blank of ["", " \n"])
        expect(() => form.parse(blank)).to.throw(ConfigurationError, "must not be empty");
    });

    it("are objected to where an API key or an endpoint's id was pasted", () => {
      const where = "the signing secret begins with whsec_ and stands on the endpoint's page in the dashboard";
      expect(form.objection?.("sk_live_abc")).to.equal(`holds an API key (sk_…): ${where}`);
      expect(form.objection?.("rk_test_abc")).to.equal(`holds an API key (rk_…): ${where}`);
      expect(form.objection?.("pk_test_abc")).to.equal(`holds an API key (pk_…): ${where}`);
      expect(form.objection?.("we_1abc")).to.equal(`holds the id of an endpoint (we_…): ${where}`);
    });

    it("are not objected to otherwise", () => {
      for (const secret of [SECRET, "webhook_secret", "whsec_sk_1", "xk_1", "task_1", "awe_1"]) {
        expect(form.objection?.(secret), secret).to.equal(undefined);
      }
    });
  });

  describe("sign", () => {
    it("makes what verify takes", () => {
      const headers = provider.sign(BODY, { secret: SECRET, now: NOW * 1000 + 999 });
      expect(headers).to.deep.equal({ "stripe-signature": header() });
      expect(verify(headers["stripe-signature"])).to.deep.equal(accepted());
    });

    it("takes text for UTF-8", () => {
      const text = '{"name":"ünïcode"}';
      const options = { secret: SECRET, now: NOW * 1000 };
      expect(provider.sign(text, options)).to.deep.equal(provider.sign(Buffer.from(text), options));
    });

    it("signs for this moment unless told otherwise", () => {
      const signature = provider.sign(BODY, { secret: SECRET })["stripe-signature"];
      expect(verify(signature, { now: Date.now(), tolerance: 5 })).to.deep.equal(accepted());
    });

    it("signs for its one setting only", () => {
      const options = { secret: SECRET, now: NOW * 1000 };
      const setting: SecretSetting = "signingSecrets";
      expect(provider.sign(BODY, { ...options, setting })).to.deep.equal({ "stripe-signature": header() });
      expect(() => provider.sign(BODY, { ...options, setting: "webhookKeys" })).to.throw(
        ConfigurationError,
        "nothing is signed with `webhookKeys`",
      );
      expect(() => provider.sign(BODY, { secret: "" })).to.throw(ConfigurationError, "`secret` must not be empty");
    });
  });

  describe("beside Stripe's own package", () => {
    const { webhooks } = new Stripe("sk_test_123");
    const payload = BODY.toString();

    it("takes what it signs", () => {
      const signature = webhooks.generateTestHeaderString({ payload, secret: SECRET, timestamp: NOW });
      expect(verify(signature)).to.deep.equal(accepted());
    });

    it("signs what it takes", () => {
      const signature = provider.sign(BODY, { secret: SECRET })["stripe-signature"] ?? "";
      expect(webhooks.constructEvent(payload, signature, SECRET).type).to.equal("charge.succeeded");
    });
  });
});
