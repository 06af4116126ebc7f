import { createHash, createHmac } from "node:crypto";
import { expect } from "chai";
import { PayloadError } from "../../src/errors.ts";
import { braintree } from "../../src/providers/braintree.ts";
import type {
  Envelope,
  ProviderResponse,
  SigningKey,
  Verification,
  WebhookRequest,
} from "../../src/providers/provider.ts";
import { keysOf, recordingBus, refusalOf, requestOf } from "./delivered.ts";
import { fixture } from "./fixture.ts";
import { workOf } from "./work.ts";

const SECRET = "pubkey:privkey";
const OTHER = "otherkey:otherprivate";
const xmlOf = (name: string): string => fixture(`braintree/${name}.json`)["xml"] as string;
const PAST_DUE = xmlOf("subscription_went_past_due");
const DISPUTE = xmlOf("dispute_opened");

const provider = braintree();
const mac = (text: string, privateKey = "privkey"): string =>
  createHmac("sha1", createHash("sha1").update(privateKey).digest()).update(text).digest("hex");
const form = (fields: Record<string, string> | [string, string][]): string => new URLSearchParams(fields).toString();
const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString("base64");

/** A form whose payload is signed as it is. */
const signed = (payload: string): string => form({ bt_signature: `pubkey|${mac(payload)}`, bt_payload: payload });

function verify(body: string | Uint8Array, ...secrets: string[]): unknown {
  const keys = keysOf(provider, ...(secrets.length > 0 ? secrets : [SECRET]));
  return provider.verify(requestOf({ body }), { keys, now: 0, toleranceSeconds: 0 });
}

const parse = (body: string | Uint8Array): unknown => provider.parse?.(requestOf({ body }));
const read = (xml: string): Envelope => provider.read({ xml }) as Envelope;
const accepted = (label = "key 0"): Verification => ({ verified: true, matchedSecret: label });
const refused = (reason: string): unknown => ({ verified: false, reason });

describe("braintree", () => {
  it("says what it is", () => {
    const { name, namespace, delimiter, methods, toleranceSeconds, success, summary } = provider;
    expect({ name, namespace, delimiter, methods, toleranceSeconds, success, summary }).to.deep.equal({
      name: "braintree",
      namespace: "braintree_event",
      delimiter: ".",
      methods: ["POST", "GET"],
      toleranceSeconds: 0,
      success: undefined,
      summary: {
        headers: [],
        algorithms: ["HMAC-SHA-1, hex"],
        content: "the form's bt_payload",
        secrets: ["publicKey:privateKey"],
      },
    });
  });

  it("takes pairs of keys for secrets", () => {
    expect(refusalOf(provider, SECRET)).to.equal(undefined);
    for (const odd of ["privkey", ":privkey", "pubkey:", "a:b:c", "a b:c", "a|b:c", "a&b:c", "a:b\nc"]) {
      expect(refusalOf(provider, odd), odd).to.equal(
        "`signingSecrets` must be the API's public and private key, joined by a colon: publicKey:privateKey",
      );
    }
  });

  describe("verify", () => {
    it("takes a payload that is signed as it is, or with a line break behind it", () => {
      const payload = base64(PAST_DUE);
      const broken = payload.replace(/.{60}/g, "$&\n").concat("\n");
      expect(verify(signed(payload))).to.deep.equal(accepted());
      expect(verify(signed(broken))).to.deep.equal(accepted());
      expect(verify(form({ bt_signature: `pubkey|${mac(`${payload}\n`)}`, bt_payload: payload }))).to.deep.equal(
        accepted(),
      );
      expect(verify(form({ bt_signature: `pubkey|${mac(payload)}`, bt_payload: `${payload}\n` }))).to.deep.equal(
        refused("bad_signature"),
      );
      expect(verify(form({ bt_signature: `pubkey|${mac(payload)}`, bt_payload: base64(DISPUTE) }))).to.deep.equal(
        refused("bad_signature"),
      );
    });

    it("finds our signature among those of other keys", () => {
      const payload = base64(PAST_DUE);
      const good = `pubkey|${mac(payload)}`;
      const list = (text: string): string => form({ bt_signature: text, bt_payload: payload });
      expect(verify(list(`otherkey|${mac(payload, "x")}&${good}`))).to.deep.equal(accepted());
      expect(verify(list(`pubkey|${"0".repeat(40)}&${good}`))).to.deep.equal(accepted());
      expect(verify(list(good), OTHER, SECRET, SECRET)).to.deep.equal(accepted("key 1"));
      expect(verify(list(good), OTHER)).to.deep.equal(refused("no_expected_scheme"));
      expect(verify(list(good), "pubkey:another")).to.deep.equal(refused("bad_signature"));
      // A public key is a name: a signature by our key under another's name is not ours.
      expect(verify(list(`otherkey|${mac(payload)}`))).to.deep.equal(refused("no_expected_scheme"));
      expect(verify(list(`${good}|x`))).to.deep.equal(refused("no_expected_scheme"));
      for (const odd of ["", "pubkey", mac(payload), "&|&", "|"]) {
        expect(verify(list(odd)), odd).to.deep.equal(
          refused(odd === "pubkey" ? "bad_signature" : "no_expected_scheme"),
        );
      }
      expect(verify(list(good.toUpperCase().replace("PUBKEY", "pubkey")))).to.deep.equal(refused("bad_signature"));
      expect(verify(list(`${good}&${"x|y&".repeat(2_000)}`))).to.deep.equal(refused("malformed_header"));
    });

    it("refuses forms without the two fields, or with one of them twice", () => {
      const payload = base64(PAST_DUE);
      const signature = `pubkey|${mac(payload)}`;
      for (const body of ["", "{}", form({ bt_payload: payload }), form({ bt_signature: signature })]) {
        expect(verify(body), body).to.deep.equal(refused("missing_header"));
      }
      expect(verify(Buffer.from([0xff, 0xfe]))).to.deep.equal(refused("missing_header"));
      const fields: [string, string][] = [
        ["bt_signature", signature],
        ["bt_payload", payload],
      ];
      for (const field of fields) expect(verify(form([...fields, field]))).to.deep.equal(refused("malformed_header"));
    });

    it("reads no form with many fields, and makes no HMAC where there is nothing to compare", () => {
      const genuine = signed(base64(PAST_DUE));
      const more = (count: number): string => genuine + "&a".repeat(count);
      expect(verify(more(98))).to.deep.equal(accepted());
      expect(verify(more(99))).to.deep.equal(refused("malformed_header"));
      expect(workOf(() => verify(more(99)))).to.deep.equal({ forms: 0, fields: 0, hmacs: 0 });
      expect(workOf(() => verify(genuine, SECRET, OTHER))).to.deep.equal({ forms: 1, fields: 2, hmacs: 2 });
      const empty = form({ bt_signature: "pubkey|00", bt_payload: base64(PAST_DUE) });
      expect(workOf(() => verify(empty))).to.deep.equal({ forms: 1, fields: 2, hmacs: 0 });
    });

    it("refuses a payload that is no canonical base64", () => {
      const good = base64(DISPUTE);
      for (const odd of ["", "\n", "*", `${good} `, `${good}=`, good.slice(1), `${good}\r\n`, "YQ", "YR=="]) {
        expect(verify(signed(odd)), odd).to.deep.equal(refused("malformed_header"));
      }
    });
  });

  describe("parse", () => {
    it("gives the XML", () => {
      expect(parse(signed(base64(PAST_DUE)))).to.deep.equal({ xml: PAST_DUE });
    });

    it("refuses what is no UTF-8, and a form without payload", () => {
      expect(() => parse(signed(base64(Buffer.from([0xff]))))).to.throw(PayloadError, "the XML is not UTF-8");
      for (const body of ["", "bt_payload=", "bt_payload=*", "bt_payload=YQ==&bt_payload=YQ=="]) {
        expect(() => parse(body)).to.throw(PayloadError, "the form has no `bt_payload`");
      }
    });
  });

  describe("read", () => {
    it("finds what it knows of an event", () => {
      const id = createHash("sha256").update(DISPUTE).digest("hex");
      const timestamp = "2026-11-20T09:14:03Z";
      expect(read(DISPUTE)).to.deep.equal({
        id,
        type: "dispute_opened",
        key: id,
        livemode: undefined,
        created: new Date(timestamp),
        account: "example_merchant",
        data: DISPUTE,
        event: { id, type: "dispute_opened", timestamp, sourceMerchantId: "example_merchant", xml: DISPUTE },
      });
      expect(read(PAST_DUE)).to.include({ type: "subscription_went_past_due", account: undefined });
      expect(read(PAST_DUE).event).not.to.have.property("sourceMerchantId");
    });

    it("reads only what is directly below the root", () => {
      const wrap = (inner: string): string => `<notification>${inner}</notification>`;
      const kind = "<kind>check</kind>";
      const type = (xml: string): unknown => read(xml).type;
      expect(type(wrap(kind))).to.equal("check");
      expect(type(wrap(`<subject><kind>a</kind></subject>${kind}<b><c/><kind>d</kind></b>`))).to.equal("check");
      expect(type(wrap("<subject><kind>a</kind></subject>"))).to.equal(undefined);
      expect(type(wrap(`<!-- <kind>a</kind> --><![CDATA[<kind>b</kind>]]><?x <kind>c</kind>?>${kind}`))).to.equal(
        "check",
      );
      expect(type(`<?xml version="1.0"?>\n<!-- x -->${wrap(kind)}\n`)).to.equal("check");
      expect(type('<notification a="b"><kind type="string">check</kind ></notification>')).to.equal("check");
      for (const none of ["<kind/>", "<kind></kind><a/>".replace("></kind>", "/>"), "<kind><a/>check</kind>"]) {
        expect(type(wrap(none)), none).to.equal(undefined);
      }
      expect(type(wrap("<kind><!-- x -->check</kind>"))).to.equal(undefined);
      expect(
        read(wrap(`${kind}<source-merchant-id>a&amp;b&lt;&gt;&quot;&apos;&#65;</source-merchant-id>`)).account,
      ).to.equal("a&b<>\"'&#65;");
    });

    it("refuses a DTD, and so entities", () => {
      const bomb = '<!DOCTYPE notification [<!ENTITY a "b">]><notification><kind>check</kind></notification>';
      for (const xml of [
        bomb,
        '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
        '<notification><!ENTITY a "b"></notification>',
      ]) {
        expect(() => read(xml)).to.throw(PayloadError, "the XML has a DTD");
      }
    });

    it("refuses what is not one well-nested notification", () => {
      const broken = [
        "",
        "text",
        "<notification>",
        "<notification/>",
        "<notification><kind>check</notification></kind>",
        "<notification></kind></notification>",
        "<notification></notification></notification>",
        "<notification></notification><notification></notification>",
        "<notification><kind>check</kind",
        "<notification><kind<a></kind></notification>",
        "<notification><></notification>",
        "<notification><kind>check</kind x></notification>",
        "<notification><!-- </notification>",
        "<notification><![CDATA[ </notification>",
        "<notification><? </notification>",
      ];
      for (const xml of broken) expect(() => read(xml), xml).to.throw(PayloadError, "the XML is not well-formed");
      expect(() => read("<event><kind>check</kind></event>")).to.throw(PayloadError, "the XML is no `notification`");
      const twice = "<notification><kind>a</kind><kind>b</kind></notification>";
      expect(() => read(twice)).to.throw(PayloadError, "the XML has two `kind`");
      for (const odd of [{}, { xml: 5 }]) expect(() => provider.read(odd)).to.throw(PayloadError, "is XML");
      expect(() => provider.read("x")).to.throw(PayloadError);
    });

    it("reads a long document in one go, and a deep one without recursion", () => {
      const deep = `${"<a>".repeat(200_000)}${"</a>".repeat(200_000)}`;
      expect(read(`<notification>${deep}<kind>check</kind></notification>`).type).to.equal("check");
    }).timeout(5_000);
  });

  it("signs bodies, which then verify", () => {
    const body = provider.signBody(DISPUTE, { secret: SECRET });
    expect(provider.sign(body, { secret: SECRET })).to.deep.equal({});
    expect(verify(body)).to.deep.equal(accepted());
    expect(parse(body)).to.deep.equal({ xml: DISPUTE });
    expect(() => provider.signBody(DISPUTE, { secret: "x" })).to.throw(
      "`secret` must be the API's public and private key",
    );
  });

  describe("the GET challenge", () => {
    const ask = (request: WebhookRequest, keys: readonly SigningKey[]): ProviderResponse | undefined =>
      provider.handshakes?.beforeVerification?.(request, keys);
    const CHALLENGE = "20f9f8ed05f77439fe955c977e4c8a53";
    const get = (url: string, method = "GET"): WebhookRequest => requestOf({ method, url });

    it("is answered with the public key and an HMAC", () => {
      expect(ask(get(`/?bt_challenge=${CHALLENGE}`), keysOf(provider, SECRET, OTHER))).to.deep.equal({
        status: 200,
        headers: { "content-type": "text/plain" },
        body: `pubkey|${mac(CHALLENGE)}`,
      });
      expect(ask(get(`/?bt_challenge=${CHALLENGE.slice(12)}`), keysOf(provider, SECRET))?.body).to.equal(
        `pubkey|${mac(CHALLENGE.slice(12))}`,
      );
    });

    it("is only ever 20 to 32 hex digits, so that nobody gets a payload signed", () => {
      const keys = keysOf(provider, SECRET);
      const odd = [
        "",
        "a".repeat(19),
        "a".repeat(33),
        `${CHALLENGE}%0A`,
        `g${CHALLENGE.slice(1)}`,
        CHALLENGE.toUpperCase(),
      ];
      for (const challenge of [...odd, encodeURIComponent(base64(PAST_DUE))]) {
        expect(ask(get(`/?bt_challenge=${challenge}`), keys), challenge).to.equal(undefined);
      }
      for (const url of ["/", `/?bt_challenge=${CHALLENGE}&bt_challenge=${CHALLENGE}`]) {
        expect(ask(get(url), keys)).to.equal(undefined);
      }
      expect(ask(get(`/?bt_challenge=${CHALLENGE}`, "POST"), keys)).to.equal(undefined);
      expect(ask(get(`/?bt_challenge=${CHALLENGE}`), [])).to.equal(undefined);
    });

    it("is answered by a bus, which hands its subscribers nothing, and refuses a GET without one", async () => {
      const { deliver, seen } = recordingBus(provider, SECRET);
      const receipt = await deliver(get(`/?bt_challenge=${CHALLENGE}`));
      expect(receipt).to.include({ status: 200, outcome: "challenge", body: `pubkey|${mac(CHALLENGE)}` });
      expect((await deliver(get("/"))).status).to.equal(401);
      expect(seen).to.deep.equal([]);
    });

    it("gives a signature that makes no event of the challenge", async () => {
      const { deliver, seen } = recordingBus(provider, SECRET);
      const body = form({ bt_signature: `pubkey|${mac(CHALLENGE)}`, bt_payload: CHALLENGE });
      expect(verify(body)).to.deep.equal(accepted());
      expect((await deliver(requestOf({ body }))).status).to.equal(400);
      expect(seen).to.deep.equal([]);
    });
  });

  describe("on a bus", () => {
    it("runs a notification once, with and without its last line break", async () => {
      const { deliver, seen } = recordingBus(provider, SECRET);
      const payload = base64(DISPUTE);
      const bt_signature = `pubkey|${mac(`${payload}\n`)}`;
      const body = form({ bt_signature, bt_payload: `${payload}\n` });
      expect((await deliver(requestOf({ body }))).outcome).to.equal("handled");
      expect((await deliver(requestOf({ body: form({ bt_signature, bt_payload: payload }) }))).outcome).to.equal(
        "duplicate",
      );
      expect((await deliver(requestOf({ body: `${body}&x=1` }))).outcome).to.equal("duplicate");
      expect(seen.map((event) => (event as { type: string }).type)).to.deep.equal(["dispute_opened"]);
    });

    it("answers 401 to what is not signed, a GET without a challenge among it", async () => {
      const { deliver, seen } = recordingBus(provider, OTHER);
      expect((await deliver(requestOf({ body: signed(base64(DISPUTE)) }))).status).to.equal(401);
      expect((await deliver(requestOf({ method: "GET" }))).status).to.equal(401);
      expect(seen).to.deep.equal([]);
    });
  });
});
