import { createHash, createPublicKey, publicEncrypt, sign } from "node:crypto";
import { expect } from "chai";
import { ConfigurationError, PayloadError } from "../../src/errors.ts";
import { conekta } from "../../src/providers/conekta.ts";
import { CONEKTA_EVENT_TYPES } from "../../src/providers/conekta-events.ts";
import type { SecretForm, SigningKey, Verification } from "../../src/providers/provider.ts";
import { fixture } from "./fixture.ts";
import { OTHER, oneLine, PRIVATE_PEM, PUBLIC_PEM } from "./keys.ts";
import { atOnce, onlyOne } from "./only.ts";

const provider = conekta();
const BODY = Buffer.from(JSON.stringify(fixture("conekta/order.paid.json")));

function form(setting: "webhookKeys" | "privateSignature"): SecretForm {
  return provider.secrets[setting] ?? expect.fail(`no ${setting}`);
}
function key(setting: "webhookKeys" | "privateSignature", text: string, label: string = setting): SigningKey {
  return { label, scheme: form(setting).scheme, key: form(setting).parse(text) };
}

const signature = (body: Uint8Array = BODY): Buffer => sign("RSA-SHA256", body, PRIVATE_PEM);
const sealed = (text: string = createHash("sha256").update(BODY).digest("hex")): Buffer => {
  return publicEncrypt({ key: createPublicKey(PRIVATE_PEM), padding: 1 }, Buffer.from(text));
};
const webhookKey = key("webhookKeys", PUBLIC_PEM);
const privateKey = key("privateSignature", PRIVATE_PEM);

function verify(digest: unknown, keys: readonly SigningKey[], body: Uint8Array = BODY): Verification {
  const headers = digest === undefined ? {} : { digest: digest as string };
  return atOnce(provider.verify({ method: "POST", url: "/", headers, body }, { keys, now: 0, toleranceSeconds: 0 }));
}

const accepted = (label: string): Verification => ({ verified: true, matchedSecret: label });
const missing: Verification = { verified: false, reason: "missing_header" };
const bad: Verification = { verified: false, reason: "bad_signature" };

describe("conekta", () => {
  it("says what it is", () => {
    const { name, namespace, delimiter, methods, toleranceSeconds } = provider;
    expect({ name, namespace, delimiter, methods, toleranceSeconds }).to.deep.equal({
      name: "conekta",
      namespace: "conekta_event",
      delimiter: ".",
      methods: ["POST"],
      toleranceSeconds: 0,
    });
    expect(Object.keys(provider.secrets)).to.deep.equal(["webhookKeys", "privateSignature"]);
    expect(provider.handshakes).to.equal(undefined);
    expect(provider.success).to.equal(undefined);
  });

  it("refuses an `apiBase` that is no URL", () => {
    for (const apiBase of ["", "127.0.0.1:1", "ftp://a", "http://a/?b", "http://a/#b", "http://u@a", "http://:p@a"]) {
      expect(() => conekta({ apiBase }), apiBase).to.throw(
        ConfigurationError,
        "`apiBase` must be an http or https URL, like http://127.0.0.1:8080",
      );
    }
    for (const apiBase of ["http://127.0.0.1:8080", "https://api.conekta.io/", "http://a/b"]) conekta({ apiBase });
  });

  it("knows 67 types of events, each once", () => {
    expect(new Set(CONEKTA_EVENT_TYPES).size).to.equal(67);
    expect(CONEKTA_EVENT_TYPES).to.have.length(67);
    expect(CONEKTA_EVENT_TYPES).to.include.members([
      "charge.paid",
      "webhook_ping",
      "customer.payment_source.card.blocked",
    ]);
  });

  describe("verify, with webhook keys", () => {
    const digest = signature().toString("base64");

    it("takes a genuine delivery", () => {
      expect(verify(digest, [webhookKey])).to.deep.equal(accepted("webhookKeys"));
      expect(verify([digest], [webhookKey])).to.deep.equal(accepted("webhookKeys"));
    });

    it("takes the header whatever its case", () => {
      const request = { method: "POST", url: "/", headers: { DIGEST: digest }, body: BODY };
      expect(atOnce(provider.verify(request, { keys: [webhookKey], now: 0, toleranceSeconds: 0 })).verified).to.equal(
        true,
      );
    });

    it("takes bytes that are no text", () => {
      const body = Buffer.from([0xef, 0xbb, 0xbf, 0xff, 0]);
      expect(verify(signature(body).toString("base64"), [webhookKey], body).verified).to.equal(true);
      expect(verify(signature(body).toString("base64"), [webhookKey], body.subarray(3))).to.deep.equal(bad);
    });

    it("names the key that matched", () => {
      const keys = [key("webhookKeys", OTHER.publicPem, "old"), { ...webhookKey, label: "new" }];
      expect(verify(digest, keys)).to.deep.equal(accepted("new"));
      expect(verify(digest, [...keys].reverse())).to.deep.equal(accepted("new"));
      const twice = [
        { ...webhookKey, label: "first" },
        { ...webhookKey, label: "second" },
      ];
      expect(verify(digest, twice)).to.deep.equal(accepted("first"));
    });

    it("refuses another body, another key, and no key", () => {
      expect(verify(digest, [webhookKey], Buffer.from("{}"))).to.deep.equal(bad);
      expect(verify(digest, [key("webhookKeys", OTHER.publicPem)])).to.deep.equal(bad);
      expect(verify(digest, [])).to.deep.equal(bad);
    });

    it("does not try the other scheme", () => {
      expect(verify(sealed().toString("base64"), [webhookKey])).to.deep.equal(bad);
      expect(verify(digest, [{ ...webhookKey, scheme: "v1" }])).to.deep.equal(bad);
    });
  });

  describe("verify, with a private signature", () => {
    const digest = sealed().toString("base64");

    it("takes a genuine delivery", () => {
      expect(verify(digest, [privateKey])).to.deep.equal(accepted("privateSignature"));
    });

    it("refuses another body, another key and another digest", () => {
      expect(verify(digest, [privateKey], Buffer.from("{}"))).to.deep.equal(bad);
      expect(verify(digest, [key("privateSignature", OTHER.privatePem)])).to.deep.equal(bad);
      expect(verify(sealed("0".repeat(64)).toString("base64"), [privateKey])).to.deep.equal(bad);
    });

    it("does not try the other scheme", () => {
      expect(verify(signature().toString("base64"), [privateKey])).to.deep.equal(bad);
      expect(verify(digest, [{ ...privateKey, scheme: "v1" }])).to.deep.equal(bad);
    });
  });

  for (const [setting, signingKey, make] of [
    ["webhook keys", webhookKey, signature],
    ["a private signature", privateKey, () => sealed()],
  ] as const) {
    describe(`verify, with ${setting}, refuses`, () => {
      const good = make().toString("base64");

      it("a header that is absent, empty, blank or no text", () => {
        for (const odd of [undefined, "", "   ", [], 5, null]) expect(verify(odd, [signingKey])).to.deep.equal(missing);
      });

      it("a header that came twice", () => {
        for (const twice of [[good, good], `${good}, ${good}`, `${good},${good}`, good + good]) {
          expect(verify(twice, [signingKey])).to.deep.equal(bad);
        }
      });

      it("what is not canonical base64", () => {
        const odd = [good.slice(0, -2), `${good}=`, `=${good}`, `${good}\n${good}`, good.replace(/.$/, " ="), "***"];
        const urlSafe = Buffer.alloc(256, 0xff).toString("base64url");
        const spaced = `${good.slice(0, 76)}\n${good.slice(76)}`;
        const sha = `SHA-256=${good}`;
        for (const digest of [...odd, urlSafe, spaced, sha, "abcdef12345", "ä".repeat(344), "🦊", "\0"]) {
          expect(verify(digest, [signingKey]), digest).to.deep.equal(bad);
        }
        // 256 bytes leave four bits over in the last digit, which are zero in canonical base64.
        const last = good.at(-3) ?? "";
        const stray = `${good.slice(0, -3)}${String.fromCharCode(last.charCodeAt(0) + 1)}==`;
        expect(Buffer.from(stray, "base64").equals(Buffer.from(good, "base64"))).to.equal(true);
        expect(verify(stray, [signingKey])).to.deep.equal(bad);
      });

      it("what is not as long as the key", () => {
        const bytes = make();
        for (const odd of [bytes.subarray(1), bytes.subarray(0, 255), Buffer.concat([Buffer.alloc(1), bytes])]) {
          expect(verify(odd.toString("base64"), [signingKey])).to.deep.equal(bad);
        }
        for (const length of [1, 255, 256, 257, 3072, 3075, 49_152]) {
          expect(verify(Buffer.alloc(length, 0xff).toString("base64"), [signingKey])).to.deep.equal(bad);
        }
        expect(verify("x".repeat(65_536), [signingKey])).to.deep.equal(bad);
      });

      it("a single bit that is flipped, anywhere", () => {
        for (const index of [0, 1, 100, 254, 255]) {
          const bytes = make();
          bytes.writeUInt8(bytes.readUInt8(index) ^ 1, index);
          expect(verify(bytes.toString("base64"), [signingKey])).to.deep.equal(bad);
        }
      });
    });
  }

  describe("keys", () => {
    it("may be several public ones, or one private one", () => {
      expect(form("webhookKeys")).to.include({ scheme: "digest-rsa-sha256", several: true });
      expect(form("privateSignature")).to.include({ scheme: "legacy-rsa-private-decrypt", several: false });
    });

    it("may be written on one line", () => {
      const digest = signature().toString("base64");
      expect(verify(digest, [key("webhookKeys", oneLine(PUBLIC_PEM))]).verified).to.equal(true);
      expect(verify(sealed().toString("base64"), [key("privateSignature", oneLine(PRIVATE_PEM))]).verified).to.equal(
        true,
      );
    });

    it("are refused in each other's place", () => {
      expect(() => form("webhookKeys").parse(PRIVATE_PEM)).to.throw(
        ConfigurationError,
        "holds a private key and takes an RSA public key in PEM form; a private key belongs in `privateSignature`",
      );
      expect(() => form("privateSignature").parse(PUBLIC_PEM)).to.throw(
        ConfigurationError,
        "holds a public key and takes an RSA private key in PEM form; a public key belongs in `webhookKeys`",
      );
    });

    it("are refused where they are none", () => {
      for (const setting of ["webhookKeys", "privateSignature"] as const) {
        for (const text of ["", "key_abc", "whsec_abc"]) {
          expect(() => form(setting).parse(text)).to.throw(ConfigurationError, /^must be an RSA (public|private) key/);
        }
      }
    });
  });

  describe("sign", () => {
    it("makes what verify takes, for either setting", () => {
      const today = provider.sign(BODY, { secret: PRIVATE_PEM });
      expect(Object.keys(today)).to.deep.equal(["digest"]);
      expect(today["digest"]).to.equal(signature().toString("base64"));
      expect(provider.sign(BODY, { secret: oneLine(PRIVATE_PEM), setting: "webhookKeys" })).to.deep.equal(today);
      const legacy = provider.sign(BODY, { secret: PRIVATE_PEM, setting: "privateSignature" });
      expect(verify(legacy["digest"], [privateKey])).to.deep.equal(accepted("privateSignature"));
      expect(verify(legacy["digest"], [webhookKey])).to.deep.equal(bad);
    });

    it("takes text for UTF-8", () => {
      const text = '{"name":"Sublimación"}';
      const options = { secret: PRIVATE_PEM };
      expect(provider.sign(text, options)).to.deep.equal(provider.sign(Buffer.from(text), options));
    });

    it("needs the private key, and one of its settings", () => {
      expect(() => provider.sign(BODY, { secret: PUBLIC_PEM })).to.throw(
        ConfigurationError,
        "`secret` holds a public key and takes an RSA private key in PEM form",
      );
      expect(() => provider.sign(BODY, { secret: PRIVATE_PEM, setting: "signingSecrets" })).to.throw(
        ConfigurationError,
        "nothing is signed with `signingSecrets`",
      );
    });
  });

  describe("read", () => {
    it("reads an event", () => {
      const event = fixture("conekta/charge.paid.json");
      const envelope = onlyOne(provider.read(event));
      expect(envelope).to.deep.equal({
        id: "637e79cb70d06300013ea161",
        type: "charge.paid",
        key: "637e79cb70d06300013ea161",
        livemode: true,
        created: new Date(1669233099_000),
        account: undefined,
        data: event["data"],
        event,
      });
      expect(envelope.event).to.equal(event);
    });

    it("reads a ping, which has no object", () => {
      const { type, data } = onlyOne(provider.read(fixture("conekta/webhook_ping.json")));
      expect({ type, data }).to.deep.equal({ type: "webhook_ping", data: { livemode: true, action: "ping" } });
    });

    it("reads the fixtures of the gem", () => {
      expect(provider.read(fixture("evt_charge_paid.json"))).to.include({ id: "evt_charge_paid", type: "charge.paid" });
      expect(provider.read(fixture("evt_customer_created.json"))).to.include({
        id: "evt_customer_created",
        type: "customer.created",
        livemode: false,
      });
    });

    it("reads a body that holds nothing but an id", () => {
      expect(provider.read({ id: "evt_charge_paid" })).to.deep.include({
        id: "evt_charge_paid",
        type: undefined,
        livemode: undefined,
        created: undefined,
        data: undefined,
      });
    });

    it("takes no account from the body", () => {
      const { account } = onlyOne(provider.read({ ...fixture("conekta/charge.paid.json"), account: "acct_1" }));
      expect(account).to.equal(undefined);
    });

    it("has the same data for every delivery of an event", () => {
      const event = fixture("conekta/charge.paid.json");
      const later = { ...event, webhook_status: "pending", webhook_logs: [] };
      expect(onlyOne(provider.read(later)).data).to.deep.equal(onlyOne(provider.read(event)).data);
    });

    it("refuses what is not an event of Conekta's", () => {
      const charge = fixture("conekta/charge.paid.json");
      for (const object of ["charge", "", null, 5, "v2.core.event"]) {
        expect(() => provider.read({ ...charge, object })).to.throw(
          PayloadError,
          'a Conekta event\'s `object` is "event"',
        );
      }
      for (const odd of [null, [], "x", 5]) {
        expect(() => provider.read(odd)).to.throw(PayloadError, "an event is a JSON object");
      }
      expect(() => provider.read(fixture("evt_invalid_id.json"))).to.throw(PayloadError, "the event has no `id`");
      expect(() => provider.read({ ...charge, type: 5 })).to.throw(
        PayloadError,
        "the event's `type` is not an event type",
      );
    });
  });
});
