import { createHmac } from "node:crypto";
import { expect } from "chai";
import { ConfigurationError, PayloadError } from "../../src/errors.ts";
import { notifications } from "../../src/notifications.ts";
import { standardWebhooks } from "../../src/providers/standard-webhooks.ts";
import { StandardWebhookEvent } from "../../src/standard-webhooks.ts";
import { fixture } from "./fixture.ts";
import { busOf, delivery, NOW, PRIVATE_KEY, PUBLIC_KEY, refused, requestOf, SECRET, verify } from "./standard.ts";

const provider = standardWebhooks();
const CONTACT = fixture("standard-webhooks/contact.created.json");
const THIN = fixture("standard-webhooks/contact.created.thin.json");
const SECONDS = NOW / 1000;

/** What any implementation of the standard writes. */
const v1 = (body: string, id = "msg_1", timestamp: number | string = SECONDS): string => {
  const key = Buffer.from("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "base64");
  return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
};

const headersOf = (signature: string, id = "msg_1", timestamp: number | string = SECONDS, family = "webhook") => ({
  [`${family}-id`]: id,
  [`${family}-timestamp`]: String(timestamp),
  [`${family}-signature`]: signature,
});

describe("standard-webhooks", () => {
  it("says what it is", () => {
    const { name, namespace, delimiter, methods, toleranceSeconds, summary, retrieval, handshakes, success } = provider;
    expect({ name, namespace, delimiter, methods, toleranceSeconds, retrieval, handshakes, success }).to.deep.equal({
      name: "standard-webhooks",
      namespace: "standard_webhooks_event",
      delimiter: ".",
      methods: ["POST"],
      toleranceSeconds: 300,
      retrieval: undefined,
      handshakes: undefined,
      success: undefined,
    });
    expect(summary).to.deep.equal({
      headers: ["webhook-signature", "svix-signature"],
      algorithms: ["HMAC-SHA-256, base64", "Ed25519, base64"],
      content: "{id}.{timestamp}.{body}",
      secrets: ["whsec_… (base64)", "whpk_… (base64)"],
    });
    expect(Object.keys(provider.secrets)).to.deep.equal(["signingSecrets"]);
    expect(provider.secrets.signingSecrets?.several).to.equal(true);
  });

  it("has a ready-made bus on the shared notifications", () => {
    expect(StandardWebhookEvent.name).to.equal("standard-webhooks");
    expect(StandardWebhookEvent.notifications).to.equal(notifications);
  });

  describe("verify", () => {
    it("takes either family of headers, and the standard's own where both came", () => {
      for (const family of ["webhook", "svix"]) {
        const request = requestOf("{}", headersOf(v1("{}"), "msg_1", SECONDS, family));
        expect(verify(provider, request), family).to.deep.equal({ verified: true, matchedSecret: "whsec_Mf" });
      }
      const genuine = headersOf(v1("{}"), "msg_1", SECONDS, "svix");
      const both = { ...genuine, ...headersOf(v1("{}")) };
      expect(verify(provider, requestOf("{}", both)).verified).to.equal(true);
      const fresh = { ...genuine, "webhook-id": "msg_2" };
      expect(verify(provider, requestOf("{}", fresh))).to.deep.equal(refused("bad_signature"));
    });

    it("signs what it takes, as the standard's libraries do", () => {
      const body = JSON.stringify(CONTACT);
      expect(provider.sign(body, { secret: SECRET, now: NOW, id: "msg_1" })).to.deep.equal(headersOf(v1(body)));
      expect(provider.sign(Buffer.from(body), { secret: SECRET, now: NOW + 999, id: "msg_1" })).to.deep.equal(
        headersOf(v1(body)),
      );
      expect(verify(provider, delivery(provider, CONTACT))).to.deep.equal({
        verified: true,
        matchedSecret: "whsec_Mf",
      });
    });

    it("takes ed25519 signatures under a public key, which are made with the private one", () => {
      const request = delivery(provider, CONTACT, { secret: PRIVATE_KEY });
      expect(request.headers["webhook-signature"]).to.match(/^v1a,[\w+/]{86}==$/);
      expect(verify(provider, request, [PUBLIC_KEY])).to.deep.equal({ verified: true, matchedSecret: "whpk_1Si" });
      expect(verify(provider, request, [SECRET, PUBLIC_KEY]).verified).to.equal(true);
      expect(verify(provider, request, [SECRET])).to.deep.equal(refused("no_expected_scheme"));
      expect(verify(provider, { ...request, body: Buffer.from("{}") }, [PUBLIC_KEY])).to.deep.equal(
        refused("bad_signature"),
      );
      expect(verify(provider, delivery(provider, CONTACT), [PUBLIC_KEY])).to.deep.equal(refused("no_expected_scheme"));
    });

    it("never takes an HMAC whose key is the public key", () => {
      const headers = headersOf("");
      const mac = createHmac("sha256", Buffer.from(PUBLIC_KEY.slice(5), "base64"));
      const digest = mac.update(`msg_1.${SECONDS}.{}`).digest("base64");
      for (const tag of ["v1", "v1a"]) {
        const request = requestOf("{}", { ...headers, "webhook-signature": `${tag},${digest}` });
        expect(verify(provider, request, [PUBLIC_KEY]).verified, tag).to.equal(false);
      }
    });

    it("takes any signature of a list, and either of two secrets", () => {
      const other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
      const good = v1("{}");
      for (const list of [`v1,AAAA ${good}`, `${good} v1,AAAA`, `v2,AAAA v1,=== ${good} garbage`]) {
        expect(verify(provider, requestOf("{}", headersOf(list))).verified, list).to.equal(true);
        expect(verify(provider, requestOf("{}", headersOf(list)), [other, SECRET])).to.deep.equal({
          verified: true,
          matchedSecret: "whsec_Mf",
        });
      }
    });

    it("reads a signature header that came twice as one list", () => {
      const good = v1("{}");
      for (const twice of [["v1,AAAA", good], [good, "v1,AAAA"], `v1,AAAA, ${good}`, `${good}, v1,AAAA`]) {
        const request = requestOf("{}", { ...headersOf(good), "webhook-signature": twice });
        expect(verify(provider, request).verified).to.equal(true);
      }
      const ids = requestOf("{}", { ...headersOf(good), "webhook-id": ["msg_1", "msg_1"] });
      expect(verify(provider, ids)).to.deep.equal(refused("bad_signature"));
      const stamps = requestOf("{}", { ...headersOf(good), "webhook-timestamp": [String(SECONDS), String(SECONDS)] });
      expect(verify(provider, stamps)).to.deep.equal(refused("malformed_header"));
    });

    it("misses each of the three headers, absent or empty", () => {
      for (const name of ["webhook-id", "webhook-timestamp", "webhook-signature"]) {
        for (const value of [undefined, ""]) {
          const request = requestOf("{}", { ...headersOf(v1("{}")), [name]: value });
          expect(verify(provider, request), `${name}: ${value}`).to.deep.equal(refused("missing_header"));
        }
      }
    });

    it("refuses a timestamp with junk behind it, which parseInt would take", () => {
      for (const odd of ["1614265330abc", "abc", "-1", "1.7e9", `${SECONDS} `, ` ${SECONDS}`, "0x10"]) {
        const request = requestOf("{}", headersOf(v1("{}", "msg_1", odd), "msg_1", odd));
        expect(verify(provider, request, [SECRET], 1_614_265_330_000), odd).to.deep.equal(refused("malformed_header"));
      }
    });

    it("tolerates five minutes either way, to the second", () => {
      const at = (seconds: number) => verify(provider, delivery(provider, {}), [SECRET], NOW + seconds * 1000);
      expect(at(300).verified).to.equal(true);
      expect(at(301)).to.deep.equal(refused("timestamp_too_old"));
      expect(at(-300).verified).to.equal(true);
      expect(at(-301)).to.deep.equal(refused("timestamp_in_future"));
    });

    it("says of a timestamp in milliseconds that it is in the future, whatever the signature", () => {
      const request = requestOf("{}", headersOf(v1("{}"), "msg_1", NOW));
      expect(verify(provider, request)).to.deep.equal(refused("timestamp_in_future"));
      expect(verify(provider, requestOf("{}", headersOf("v1,", "msg_1", SECONDS - 301)))).to.deep.equal(
        refused("timestamp_too_old"),
      );
    });

    it("takes canonical signatures only", () => {
      const good = v1("{}");
      const spoilt = [good.slice(0, -1), `${good}=`, good.replace("v1,", "V1,"), good.replaceAll("=", ""), "v1"];
      for (const text of spoilt)
        expect(verify(provider, requestOf("{}", headersOf(text))).verified, text).to.equal(false);
    });

    it("takes bytes that are no text, and a body that is full of replacement patterns", () => {
      const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0xff, 0, 0x80]);
      const signed = provider.sign(bytes, { secret: SECRET, now: NOW });
      expect(verify(provider, { ...requestOf("", signed), body: bytes }).verified).to.equal(true);
      expect(verify(provider, { ...requestOf("", signed), body: bytes.subarray(3) }).verified).to.equal(false);
      const patterns = '{"price":"$$1 $& {body} {id}"}';
      expect(verify(provider, requestOf(patterns, headersOf(v1(patterns)))).verified).to.equal(true);
    });
  });

  describe("secrets", () => {
    it("takes base64 with the prefix or without, padded or not", () => {
      const text = "RdvaYFYUXuIFuEbvZHwMfYFhUf7aMYjYcmM24+Aj40c";
      const request = delivery(provider, {}, { secret: `whsec_${text}=` });
      for (const secret of [`whsec_${text}=`, `whsec_${text}`, `${text}=`, text]) {
        expect(verify(provider, request, [secret]).verified, secret).to.equal(true);
      }
    });

    it("refuses a key that anybody can guess, and what is no key", () => {
      const { bus } = busOf(provider);
      const whsec = "must be whsec_ and base64 text";
      const whpk = "must be whpk_ and the base64 of 32 bytes";
      for (const [secret, why] of [
        ["whsec_", whsec],
        ["whsec_=", whsec],
        ["whsec_not base64", whsec],
        ["whsec_-_-_", whsec],
        ["sk_live_1234", whsec],
        ["whpk_", whpk],
        ["whpk_AAAA", whpk],
        [PRIVATE_KEY, whpk],
      ] as const) {
        const set = () => {
          bus.signingSecrets = secret;
        };
        expect(set, secret).to.throw(ConfigurationError, `\`signingSecrets\` ${why}`);
        expect(set, secret).not.to.throw(ConfigurationError, secret.slice(6) || "nothing");
      }
    });

    it("refuses to sign with what is no key", () => {
      expect(() => provider.sign("{}", { secret: "whsec_" })).to.throw(ConfigurationError, "`secret` must be whsec_");
      expect(() => provider.sign("{}", { secret: "whsk_AAAA" })).to.throw(
        ConfigurationError,
        "`secret` must be an ed25519 seed",
      );
    });
  });

  describe("read", () => {
    it("finds the signed id, the type and the time of the event", () => {
      const envelope = provider.read(CONTACT, { request: delivery(provider, CONTACT, { id: "msg_7" }) });
      expect(envelope).to.deep.equal({
        id: "msg_7",
        type: "contact.created",
        key: "msg_7",
        livemode: undefined,
        created: new Date("2022-11-03T20:26:10.344Z"),
        account: undefined,
        data: CONTACT,
        event: CONTACT,
      });
    });

    it("takes the id of the family that was verified", () => {
      const headers = { ...headersOf("v1,", "msg_webhook"), "svix-id": "msg_svix" };
      expect(provider.read(THIN, { request: requestOf(THIN, headers) })).to.include({ id: "msg_webhook" });
      expect(provider.read(THIN, { request: requestOf(THIN, { "svix-id": "msg_svix" }) })).to.include({
        id: "msg_svix",
      });
    });

    it("takes the own id of an event that was retrieved", () => {
      expect(provider.read({ ...THIN, id: "evt_1" })).to.include({ id: "evt_1", key: "evt_1" });
      expect(() => provider.read(THIN)).to.throw(PayloadError, "the event has no `id`");
    });

    it("reads a timestamp in seconds and in milliseconds", () => {
      const created = (timestamp: unknown) => {
        const envelope = provider.read({ ...THIN, timestamp }, { request: delivery(provider, {}) });
        return "id" in envelope ? envelope.created : undefined;
      };
      expect(created(1_700_000_000)).to.deep.equal(new Date(NOW));
      expect(created(NOW)).to.deep.equal(new Date(NOW));
      expect(created(1e11)).to.deep.equal(new Date(1e11));
      expect(created(1e11 - 1)).to.deep.equal(new Date(1e14 - 1000));
      for (const odd of [undefined, null, "yesterday", {}]) expect(created(odd)).to.equal(undefined);
    });

    it("refuses a body without a type, and what is no object", () => {
      const request = delivery(provider, {});
      expect(() => provider.read({ test: 2_432_232_314 }, { request })).to.throw(PayloadError, "has no `type`");
      expect(() => provider.read({ type: 5 }, { request })).to.throw(PayloadError, "is not an event type");
      expect(() => provider.read([THIN], { request })).to.throw(PayloadError, "an event is a JSON object");
    });
  });

  describe("through a bus", () => {
    it("runs the subscriber once, however often the delivery comes, and whichever its family", async () => {
      const { bus, seen, contexts } = busOf(provider);
      const first = await bus.receive(delivery(provider, CONTACT, { id: "msg_7" }));
      expect(first).to.deep.include({ status: 200, body: '{"received":true}', outcome: "handled" });
      const retried = await bus.receive(delivery(provider, CONTACT, { id: "msg_7", now: NOW + 60_000 }));
      expect(retried).to.include({ status: 200, outcome: "duplicate" });
      const renamed = await bus.receive(
        requestOf(CONTACT, headersOf(v1(JSON.stringify(CONTACT), "msg_7"), "msg_7", SECONDS, "svix")),
      );
      expect(renamed).to.include({ status: 200, outcome: "duplicate" });
      const replayed = delivery(provider, CONTACT, { id: "msg_7", headers: { "webhook-id": "msg_8" } });
      expect(await bus.receive(replayed)).to.include({ status: 401, outcome: "rejected" });
      expect(seen).to.deep.equal([CONTACT]);
      expect(contexts[0]).to.include({ id: "msg_7", verifiedBy: "signature", matchedSecret: "signingSecrets" });
      const another = await bus.receive(delivery(provider, CONTACT, { id: "msg_9" }));
      expect(another.outcome).to.equal("handled");
    });

    it("answers 400 to a genuine body that is no event", async () => {
      const { bus, seen } = busOf(provider);
      for (const body of ["", "no JSON", '{"test": 2432232314}', "5"]) {
        expect(await bus.receive(delivery(provider, body)), body).to.include({ status: 400, outcome: "rejected" });
      }
      expect(seen).to.deep.equal([]);
    });

    it("takes secrets and public keys side by side", async () => {
      const { bus, contexts } = busOf(provider);
      bus.signingSecrets = [
        { label: "hmac", secret: SECRET },
        { label: "ed25519", secret: PUBLIC_KEY },
      ];
      await bus.receive(delivery(provider, CONTACT, { id: "msg_1" }));
      await bus.receive(delivery(provider, CONTACT, { id: "msg_2", secret: PRIVATE_KEY }));
      expect(contexts.map((context) => context["matchedSecret"])).to.deep.equal(["hmac", "ed25519"]);
    });
  });
});
