import { createHmac, generateKeyPairSync, type KeyObject } from "node:crypto";
import { expect } from "chai";
import { ConfigurationError } from "../../../src/errors.ts";
import type { RequestHeaders, SigningKey, Verification } from "../../../src/providers/provider.ts";
import { ALGORITHMS, type Algorithm } from "../../../src/providers/schemes/algorithms.ts";
import { type KeyForm, UTF8, WHPK, WHSEC } from "../../../src/providers/schemes/key-forms.ts";
import { type Scheme, type SignatureDescription, signed } from "../../../src/providers/schemes/signature.ts";
import { atOnce } from "../only.ts";

const NOW = 1_700_000_000;
const BODY = Buffer.from('{"id":"evt_1"}');
const hex = (text: string | Buffer, secret = "s"): string => createHmac("sha256", secret).update(text).digest("hex");

const plain: SignatureDescription = {
  header: "x-signature",
  secrets: { signingSecrets: { kinds: [{ algorithm: "hmac-sha256", encoding: "hex", key: UTF8 }] } },
};
const listed: SignatureDescription = {
  header: "x-signatures",
  list: { separator: " ", assign: "," },
  id: "x-id",
  timestamp: { header: "x-timestamp" },
  content: "{id}.{timestamp}.{body}",
  secrets: { signingSecrets: { kinds: [{ algorithm: "hmac-sha256", encoding: "base64", tag: "v1", key: UTF8 }] } },
};
const LISTED_HEADERS = { "x-id": "msg_1", "x-timestamp": `${NOW}` };
const base64 = (secret = "s", id = "msg_1", timestamp: number | string = NOW): string =>
  createHmac("sha256", secret).update(`${id}.${timestamp}.`).update(BODY).digest("base64");

function keyOf(scheme: Scheme, secret: string, label: string = secret): SigningKey {
  const form = scheme.secrets.signingSecrets ?? expect.fail("no signing secrets");
  return { label, scheme: form.schemeOf?.(secret) ?? form.scheme, key: form.parse(secret) };
}

interface Attempt {
  readonly keys?: readonly SigningKey[];
  readonly secrets?: readonly string[];
  readonly body?: Uint8Array;
  readonly nowMs?: number;
  readonly url?: string;
  readonly method?: string;
}

function verify(description: SignatureDescription, headers: RequestHeaders, attempt: Attempt = {}): Verification {
  const scheme = signed(description);
  const { url = "/", method = "POST", body = BODY, secrets = ["s"], nowMs = NOW * 1000 } = attempt;
  const keys = attempt.keys ?? secrets.map((secret) => keyOf(scheme, secret));
  return atOnce(
    scheme.verify({ method, url, headers, body }, { keys, now: nowMs, toleranceSeconds: scheme.toleranceSeconds }),
  );
}

const accepted = (label = "s"): Verification => ({ verified: true, matchedSecret: label });
const refused = (reason: string): unknown => ({ verified: false, reason });

describe("signed", () => {
  describe("with one signature in its header", () => {
    it("takes a genuine one, and no other", () => {
      expect(verify(plain, { "x-signature": hex(BODY) })).to.deep.equal(accepted());
      expect(verify(plain, { "X-Signature": ` ${hex(BODY)} ` })).to.deep.equal(accepted());
      expect(verify(plain, { "x-signature": hex(BODY, "t") })).to.deep.equal(refused("bad_signature"));
      expect(verify(plain, { "x-signature": hex(BODY) }, { body: Buffer.from("{}") })).to.deep.equal(
        refused("bad_signature"),
      );
    });

    it("misses a header that is absent or blank", () => {
      for (const headers of [{}, { "x-signature": "" }, { "x-signature": "  " }, { "x-signature": undefined }]) {
        expect(verify(plain, headers)).to.deep.equal(refused("missing_header"));
      }
    });

    it("takes the canonical text alone, however long the other is", () => {
      const good = hex(BODY);
      for (const odd of [good.toUpperCase(), good.slice(1), `${good}00`, `${good}, ${good}`, "x".repeat(65_536)]) {
        expect(verify(plain, { "x-signature": odd }), odd).to.deep.equal(refused("bad_signature"));
      }
    });

    it("has no timestamp, and so no tolerance", () => {
      expect(signed(plain).toleranceSeconds).to.equal(0);
      expect(verify(plain, { "x-signature": hex(BODY) }, { nowMs: 0 })).to.deep.equal(accepted());
    });

    it("may have a prefix, which is told from garbage and from another scheme's", () => {
      const prefixed = { ...plain, prefix: "sha256=" };
      expect(verify(prefixed, { "x-signature": `sha256=${hex(BODY)}` })).to.deep.equal(accepted());
      expect(verify(prefixed, { "x-signature": `sha1=${hex(BODY)}` })).to.deep.equal(refused("no_expected_scheme"));
      expect(verify(prefixed, { "x-signature": hex(BODY) })).to.deep.equal(refused("malformed_header"));
      expect(verify(prefixed, { "x-signature": `SHA256=${hex(BODY)}` })).to.deep.equal(refused("no_expected_scheme"));
      expect(verify(prefixed, { "x-signature": "sha256=" })).to.deep.equal(refused("bad_signature"));
      expect(verify(prefixed, { "x-signature": `sha256=sha256=${hex(BODY)}` })).to.deep.equal(refused("bad_signature"));
    });

    it("may be under the first of several names", () => {
      const either = { ...plain, header: ["x-new", "x-old"] };
      expect(verify(either, { "x-old": hex(BODY) })).to.deep.equal(accepted());
      expect(verify(either, { "x-new": hex(BODY), "x-old": "0" })).to.deep.equal(accepted());
      expect(verify(either, { "x-new": "0", "x-old": hex(BODY) })).to.deep.equal(refused("bad_signature"));
      expect(signed(either).sign(BODY, { secret: "s" })).to.deep.equal({ "x-new": hex(BODY) });
      expect(signed(either).summary.headers).to.deep.equal(["x-new", "x-old"]);
    });

    it("may be in base64url, which is not padded", () => {
      const urlSafe: SignatureDescription = {
        ...plain,
        secrets: { signingSecrets: { kinds: [{ algorithm: "hmac-sha512", encoding: "base64url", key: UTF8 }] } },
      };
      const good = createHmac("sha512", "s").update(BODY).digest("base64url");
      expect(signed(urlSafe).sign(BODY, { secret: "s" })).to.deep.equal({ "x-signature": good });
      expect(verify(urlSafe, { "x-signature": good })).to.deep.equal(accepted());
      const base64Text = createHmac("sha512", "s").update(BODY).digest("base64");
      expect(base64Text).not.to.equal(good);
      for (const odd of [base64Text, `${good}==`]) {
        expect(verify(urlSafe, { "x-signature": odd }), odd).to.deep.equal(refused("bad_signature"));
      }
    });
  });

  describe("with a content", () => {
    it("puts method, URL and body together as the template says", () => {
      const urls: SignatureDescription = { ...plain, content: "{method}:{url}:{body}" };
      const signature = hex("PUT:https://a.example/x?y=1:{}");
      const attempt = { body: Buffer.from("{}"), url: "https://a.example/x?y=1" };
      expect(verify(urls, { "x-signature": signature }, { ...attempt, method: "PUT" })).to.deep.equal(accepted());
      expect(verify(urls, { "x-signature": signature }, attempt)).to.deep.equal(refused("bad_signature"));
      expect(signed(urls).sign("{}", { secret: "s", method: "PUT", url: "https://a.example/x?y=1" })).to.deep.equal({
        "x-signature": signature,
      });
      expect(signed(urls).sign("{}", { secret: "s", url: "/x", headers: { host: "a.example" } })).to.deep.equal({
        "x-signature": hex("POST:https://a.example/x:{}"),
      });
    });

    it("signs the public URL instead of the request's, where one is set", () => {
      const publicUrl = "https://a.example/hook";
      const urls: SignatureDescription = { ...plain, content: "{url}{body}", publicUrl };
      const headers = { "x-signature": hex(`${publicUrl}${BODY}`) };
      expect(verify(urls, headers, { url: "/other" })).to.deep.equal(accepted());
      expect(verify({ ...urls, publicUrl: undefined }, headers, { url: "/other" })).to.deep.equal(
        refused("bad_signature"),
      );
      expect(signed(urls).sign(BODY, { secret: "s" })).to.deep.equal(headers);
    });

    it("may be made by a function, which can find nothing to sign", () => {
      const own: SignatureDescription = {
        ...plain,
        content: ({ request }) => (request.headers["x-part"] ? [String(request.headers["x-part"])] : undefined),
      };
      expect(verify(own, { "x-signature": hex("a"), "x-part": "a" })).to.deep.equal(accepted());
      expect(verify(own, { "x-signature": hex("a") })).to.deep.equal(refused("malformed_header"));
      expect(signed(own).sign(BODY, { secret: "s", headers: { "x-part": "a" } })).to.deep.equal({
        "x-signature": hex("a"),
      });
      expect(() => signed(own).sign(BODY, { secret: "s" })).to.throw(
        ConfigurationError,
        "the request holds nothing to sign: see the scheme's `content`",
      );
      expect(signed(own).summary.content).to.equal("see the source");
    });

    it("names fields that there are", () => {
      expect(() => signed({ ...plain, content: "{body}{bodi}" })).to.throw(
        ConfigurationError,
        "`content` names {bodi}",
      );
    });
  });

  describe("with id, timestamp and a list", () => {
    const good = (): RequestHeaders => ({ ...LISTED_HEADERS, "x-signatures": `v1,${base64()}` });

    it("takes a genuine delivery", () => {
      expect(verify(listed, good())).to.deep.equal(accepted());
      expect(verify(listed, { ...good(), "x-signatures": `v1,AA== v2,x v1,${base64()}` })).to.deep.equal(accepted());
    });

    it("looks for every header before it looks into one", () => {
      for (const name of Object.keys(good())) {
        for (const value of [undefined, ""]) {
          expect(verify(listed, { ...good(), "x-signatures": "junk", [name]: value }), name).to.deep.equal(
            refused("missing_header"),
          );
        }
      }
    });

    it("looks at the timestamp's form, then for a scheme, then at the signature, then at the clock", () => {
      const nowMs = (NOW + 1000) * 1000;
      const worse = { ...LISTED_HEADERS, "x-timestamp": "soon", "x-signatures": "v2,AA==" };
      expect(verify(listed, worse, { nowMs })).to.deep.equal(refused("malformed_header"));
      expect(verify(listed, { ...worse, ...LISTED_HEADERS }, { nowMs })).to.deep.equal(refused("no_expected_scheme"));
      const bad = { ...LISTED_HEADERS, "x-signatures": "v1,AA==" };
      expect(verify(listed, bad, { nowMs })).to.deep.equal(refused("bad_signature"));
      expect(verify(listed, good(), { nowMs })).to.deep.equal(refused("timestamp_too_old"));
    });

    it("tells a header without an expected scheme, even where it has no key", () => {
      expect(verify(listed, good(), { keys: [] })).to.deep.equal(refused("bad_signature"));
      expect(verify(listed, { ...good(), "x-signatures": "v2,AA==" }, { keys: [] })).to.deep.equal(
        refused("no_expected_scheme"),
      );
      const foreign = { ...keyOf(signed(listed), "s"), scheme: "v1x" };
      expect(verify(listed, good(), { keys: [foreign] })).to.deep.equal(refused("bad_signature"));
    });

    it("signs id and timestamp as they were sent", () => {
      expect(verify(listed, { ...good(), "x-id": "msg_2" })).to.deep.equal(refused("bad_signature"));
      expect(verify(listed, { ...good(), "x-timestamp": `0${NOW}` })).to.deep.equal(refused("bad_signature"));
      const zero = { ...good(), "x-timestamp": `0${NOW}`, "x-signatures": `v1,${base64("s", "msg_1", `0${NOW}`)}` };
      expect(verify(listed, zero)).to.deep.equal(accepted());
    });

    it("takes five minutes either way unless told otherwise", () => {
      expect(signed(listed).toleranceSeconds).to.equal(300);
      expect(verify(listed, good(), { nowMs: (NOW + 300) * 1000 })).to.deep.equal(accepted());
      expect(verify(listed, good(), { nowMs: (NOW + 301) * 1000 })).to.deep.equal(refused("timestamp_too_old"));
      expect(verify(listed, good(), { nowMs: (NOW - 301) * 1000 })).to.deep.equal(refused("timestamp_in_future"));
      const strict = { ...listed, timestamp: { header: "x-timestamp", toleranceSeconds: 5 } };
      expect(signed(strict).toleranceSeconds).to.equal(5);
    });

    it("reads at most 4096 characters", () => {
      const padded = (length: number) => `v1,${base64()}`.padEnd(length, " ");
      const headers = (length: number) => ({ ...good(), "x-signatures": `${padded(length - 1)}x` });
      expect(verify(listed, headers(4096))).to.deep.equal(accepted());
      expect(verify(listed, headers(4097))).to.deep.equal(refused("malformed_header"));
    });

    it("signs for an id and a moment", () => {
      const headers = signed(listed).sign(BODY, { secret: "s", id: "msg_9", now: NOW * 1000 + 999 });
      expect(headers).to.deep.equal({
        "x-timestamp": `${NOW}`,
        "x-id": "msg_9",
        "x-signatures": `v1,${base64("s", "msg_9")}`,
      });
      expect(verify(listed, headers)).to.deep.equal(accepted());
      expect(signed(listed).sign(BODY, { secret: "s" })["x-id"]).to.equal("msg_1");
    });
  });

  describe("with a timestamp", () => {
    it("may have it in milliseconds", () => {
      const description: SignatureDescription = {
        ...plain,
        timestamp: { header: "x-timestamp", unit: "ms" },
        content: "{timestamp}{body}",
      };
      const headers = signed(description).sign(BODY, { secret: "s", now: NOW * 1000 + 7 });
      expect(headers["x-timestamp"]).to.equal(`${NOW}007`);
      expect(verify(description, headers, { nowMs: (NOW + 300) * 1000 })).to.deep.equal(accepted());
      expect(verify(description, headers, { nowMs: (NOW + 301) * 1000 })).to.deep.equal(refused("timestamp_too_old"));
    });

    it("may be of any age where the tolerance is infinite, and is digits all the same", () => {
      const description: SignatureDescription = {
        ...plain,
        timestamp: { header: "x-timestamp", toleranceSeconds: Number.POSITIVE_INFINITY },
        content: "{timestamp}{body}",
      };
      const headers = { "x-timestamp": `${NOW}`, "x-signature": hex(`${NOW}{"a":[]}`) };
      const body = Buffer.from('{"a":[]}');
      for (const nowMs of [0, NOW * 1000, NOW * 5000]) {
        expect(verify(description, headers, { body, nowMs })).to.deep.equal(accepted());
      }
      // The same signed bytes, cut elsewhere.
      const moved = { ...headers, "x-timestamp": `${NOW}{"a":` };
      expect(verify(description, moved, { body: Buffer.from("[]}") })).to.deep.equal(refused("bad_signature"));
    });

    it("may have it in an item of the list, which comes once", () => {
      const description: SignatureDescription = {
        ...plain,
        list: { separator: ";", assign: "=" },
        timestamp: { item: "ts" },
        content: "{timestamp}:{body}",
        secrets: { signingSecrets: { kinds: [{ algorithm: "hmac-sha256", encoding: "hex", tag: "h1", key: UTF8 }] } },
      };
      const h1 = `h1=${hex(`${NOW}:${BODY}`)}`;
      const headers = { "x-signature": `ts=${NOW};${h1}` };
      expect(signed(description).sign(BODY, { secret: "s", now: NOW * 1000 })).to.deep.equal(headers);
      expect(verify(description, headers)).to.deep.equal(accepted());
      for (const odd of [h1, `ts=${NOW};ts=${NOW};${h1}`, `ts=x;${h1}`, `${h1}; ts=${NOW}`]) {
        expect(verify(description, { "x-signature": odd }), odd).to.deep.equal(refused("malformed_header"));
      }
    });
  });

  describe("with several kinds of signatures", () => {
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    const raw = (key: KeyObject, type: "spki" | "pkcs8"): Buffer =>
      key.export({ type: type as "spki", format: "der" }).subarray(-32);
    const whpk = `whpk_${raw(publicKey, "spki").toString("base64")}`;
    const whsk = `whsk_${raw(privateKey, "pkcs8").toString("base64")}`;
    const whsec = `whsec_${Buffer.from("0123456789abcdef").toString("base64")}`;
    const both: SignatureDescription = {
      ...listed,
      secrets: {
        signingSecrets: {
          kinds: [
            { algorithm: "hmac-sha256", encoding: "base64", tag: "v1", key: WHSEC },
            { algorithm: "ed25519", encoding: "base64", tag: "v1a", key: WHPK, secretPrefix: ["whpk_", "whsk_"] },
          ],
        },
      },
    };
    const scheme = signed(both);
    const options = { now: NOW * 1000, id: "msg_1" };
    const v1 = scheme.sign(BODY, { ...options, secret: whsec })["x-signatures"] ?? "";
    const v1a = scheme.sign(BODY, { ...options, secret: whsk })["x-signatures"] ?? "";
    const check = (signatures: string, secrets: readonly string[]) =>
      verify(both, { ...LISTED_HEADERS, "x-signatures": signatures }, { secrets });

    it("tells a secret's kind by how it begins", () => {
      expect(v1).to.match(/^v1,[\w+/]{43}=$/);
      expect(v1a).to.match(/^v1a,[\w+/]{86}==$/);
      expect(keyOf(scheme, whsec).scheme).to.equal("v1");
      expect(keyOf(scheme, whpk).scheme).to.equal("v1a");
    });

    it("checks each signature with the keys of its kind", () => {
      expect(check(v1, [whsec])).to.deep.equal(accepted(whsec));
      expect(check(v1a, [whpk])).to.deep.equal(accepted(whpk));
      expect(check(`${v1} ${v1a}`, [whpk])).to.deep.equal(accepted(whpk));
      expect(check(`${v1} ${v1a}`, [whpk, whsec])).to.deep.equal(accepted(whpk));
      expect(check(v1, [whpk, whsec])).to.deep.equal(accepted(whsec));
    });

    it("never takes one kind's signature under the other's tag", () => {
      expect(check(v1.replace("v1,", "v1a,"), [whsec])).to.deep.equal(refused("no_expected_scheme"));
      expect(check(v1.replace("v1,", "v1a,"), [whsec, whpk])).to.deep.equal(refused("bad_signature"));
      expect(check(v1, [whpk])).to.deep.equal(refused("no_expected_scheme"));
      expect(check(v1a, [whsec])).to.deep.equal(refused("no_expected_scheme"));
    });

    it("names both in its summary", () => {
      expect(scheme.summary).to.deep.include({
        algorithms: ["HMAC-SHA-256, base64", "Ed25519, base64"],
        content: "{id}.{timestamp}.{body}",
        secrets: ["whsec_… (base64)", "whpk_… (base64)"],
      });
    });
  });

  describe("with several keys", () => {
    /** Puts an algorithm in the place of HMAC-SHA-256 that remembers the keys it was asked to try. */
    function tries(run: () => void): string[] {
      const algorithms = ALGORITHMS as Record<string, Algorithm>;
      const original = ALGORITHMS["hmac-sha256"];
      const tried: string[] = [];
      algorithms["hmac-sha256"] = {
        ...original,
        matches(key, ...others) {
          tried.push(key.export().toString());
          return original.matches(key, ...others);
        },
      };
      try {
        run();
      } finally {
        algorithms["hmac-sha256"] = original;
      }
      return tried;
    }

    it("tries every key in its order, whichever matches", () => {
      const secrets = ["a", "b", "c"];
      for (const match of secrets) {
        const tried = tries(() => {
          expect(verify(plain, { "x-signature": hex(BODY, match) }, { secrets })).to.deep.equal(accepted(match));
        });
        expect(tried).to.deep.equal(secrets);
      }
      const tried = tries(() => void verify(plain, { "x-signature": hex("another body") }, { secrets }));
      expect(tried).to.deep.equal(secrets);
    });

    it("tries none with what cannot be a signature: that costs a stranger's body no work", () => {
      const tried = tries(() => {
        expect(verify(plain, { "x-signature": "junk" }, { secrets: ["a"] })).to.deep.equal(refused("bad_signature"));
      });
      expect(tried).to.deep.equal([]);
    });

    it("names the first that matches", () => {
      const scheme = signed(plain);
      const keys = [keyOf(scheme, "x", "other"), keyOf(scheme, "s", "first"), keyOf(scheme, "s", "second")];
      expect(verify(plain, { "x-signature": hex(BODY) }, { keys })).to.deep.equal(accepted("first"));
    });
  });

  describe("with settings", () => {
    const form = (name: string): KeyForm => ({ ...UTF8, shape: name });
    const two: SignatureDescription = {
      ...plain,
      secrets: {
        signingSecrets: {
          kinds: [{ scheme: "new", algorithm: "hmac-sha256", encoding: "hex", key: form("new") }],
          objection: (secret) => (secret === "odd" ? "is odd" : undefined),
        },
        privateSignature: {
          kinds: [{ scheme: "old", algorithm: "hmac-sha1", encoding: "hex", key: form("old") }],
          several: false,
        },
      },
    };

    it("makes the form of each", () => {
      const { signingSecrets, privateSignature } = signed(two).secrets;
      expect(signingSecrets).to.include({ scheme: "new", several: true });
      expect(signingSecrets?.objection?.("odd")).to.equal("is odd");
      expect(privateSignature).to.include({ scheme: "old", several: false });
      expect(privateSignature?.objection?.("odd")).to.equal(undefined);
      expect(privateSignature?.objection?.("undefined")).to.be.a("string");
      expect(signed(plain).secrets.signingSecrets).to.include({ scheme: "hmac-sha256" });
    });

    it("signs for the first unless told otherwise, and for no other", () => {
      const sha1 = createHmac("sha1", "s").update(BODY).digest("hex");
      expect(signed(two).sign(BODY, { secret: "s" })).to.deep.equal({ "x-signature": hex(BODY) });
      expect(signed(two).sign(BODY, { secret: "s", setting: "privateSignature" })).to.deep.equal({
        "x-signature": sha1,
      });
      expect(() => signed(two).sign(BODY, { secret: "s", setting: "webhookKeys" })).to.throw(
        ConfigurationError,
        "nothing is signed with `webhookKeys`",
      );
      expect(() => signed(two).sign(BODY, { secret: " " })).to.throw(ConfigurationError, "`secret` must not be empty");
    });
  });
});
