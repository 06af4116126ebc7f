import { createHash, createHmac } from "node:crypto";
import { expect } from "chai";
import { PayloadError } from "../../src/errors.ts";
import { mercadopago } from "../../src/providers/mercadopago.ts";
import type { Envelope, Verification, WebhookRequest } from "../../src/providers/provider.ts";
import { keysOf, recordingBus, refusalOf, requestOf } from "./delivered.ts";
import { fixture } from "./fixture.ts";

const SECRET = "mp_secret";
const NOW = 1_700_000_000;
const URL_OF = "/webhooks/mp?data.id=999999999&type=payment";
const PAYMENT = fixture("mercadopago/payment.updated.json");

const provider = mercadopago();
const mac = (manifest: string, secret = SECRET): string => createHmac("sha256", secret).update(manifest).digest("hex");

/** A delivery whose signature is over `manifest`. */
function signed(manifest: string, request: Partial<WebhookRequest> = {}): WebhookRequest {
  const ts = /ts:([^;]*);$/.exec(manifest)?.[1];
  const headers = { "x-signature": `ts=${ts},v1=${mac(manifest)}`, "x-request-id": "req-1", ...request.headers };
  return requestOf({ url: URL_OF, body: JSON.stringify(PAYMENT), ...request, headers });
}

const MANIFEST = `id:999999999;request-id:req-1;ts:${NOW};`;

function verify(request: WebhookRequest, toleranceSeconds = provider.toleranceSeconds, now = NOW * 1000): unknown {
  return provider.verify(request, { keys: keysOf(provider, "other", SECRET), now, toleranceSeconds });
}

const read = (body: unknown, request = signed(MANIFEST)): Envelope => provider.read(body, { request }) as Envelope;
const accepted: Verification = { verified: true, matchedSecret: "key 1" };
const refused = (reason: string): unknown => ({ verified: false, reason });

describe("mercadopago", () => {
  it("says what it is", () => {
    const { name, namespace, delimiter, methods, toleranceSeconds, success, retrieval } = provider;
    expect({ name, namespace, delimiter, methods, toleranceSeconds, success, retrieval }).to.deep.equal({
      name: "mercadopago",
      namespace: "mercadopago_event",
      delimiter: ".",
      methods: ["POST"],
      toleranceSeconds: Number.POSITIVE_INFINITY,
      success: undefined,
      retrieval: undefined,
    });
    expect(provider.summary).to.deep.equal({
      headers: ["x-signature"],
      algorithms: ["HMAC-SHA-256, hex"],
      content: "id:{data.id};request-id:{x-request-id};ts:{timestamp};",
      secrets: ["text, as it stands"],
    });
  });

  it("refuses an access token for a secret", () => {
    expect(refusalOf(provider, SECRET)).to.equal(undefined);
    for (const token of ["APP_USR-123-456", "TEST-123"]) {
      expect(refusalOf(provider, token)).to.contain("`signingSecrets` holds an access token or public key");
    }
  });

  describe("verify", () => {
    it("takes what is signed over the id of the query, the request id and the time", () => {
      expect(verify(signed(MANIFEST))).to.deep.equal(accepted);
      expect(verify(signed(MANIFEST, { url: `https://example.com${URL_OF}#x` }))).to.deep.equal(accepted);
      expect(verify(signed(MANIFEST, { url: "/?type=payment&data.id=999999998" }))).to.deep.equal(
        refused("bad_signature"),
      );
      expect(verify(signed(MANIFEST, { headers: { "x-request-id": "req-2" } }))).to.deep.equal(
        refused("bad_signature"),
      );
      expect(verify(signed(`id:999999999;request-id:req-1;ts:${NOW + 1};`))).to.deep.equal(accepted);
      const old = signed(MANIFEST).headers["x-signature"] as string;
      const later = old.replace(`ts=${NOW}`, `ts=${NOW + 1}`);
      expect(verify(signed(MANIFEST, { headers: { "x-signature": later } }))).to.deep.equal(refused("bad_signature"));
    });

    it("leaves out what is absent", () => {
      const headers = { "x-request-id": undefined };
      expect(verify(signed(`id:999999999;ts:${NOW};`, { headers }))).to.deep.equal(accepted);
      expect(verify(signed(`request-id:req-1;ts:${NOW};`, { url: "/" }))).to.deep.equal(accepted);
      expect(verify(signed(`ts:${NOW};`, { url: "/?data.idx=1", headers }))).to.deep.equal(accepted);
    });

    it("lower-cases ids of letters and digits, and no others", () => {
      const url = (id: string): Partial<WebhookRequest> => ({ url: `/?data.id=${id}` });
      expect(verify(signed(`id:ord01jq;request-id:req-1;ts:${NOW};`, url("ORD01JQ")))).to.deep.equal(accepted);
      expect(verify(signed(`id:A-B_c.d;request-id:req-1;ts:${NOW};`, url("A-B_c.d")))).to.deep.equal(accepted);
    });

    it("leaves no second reading of where one part ends", () => {
      const manifest = `id:1;request-id:req-1;ts:${NOW};`;
      const url = `/?data.id=${encodeURIComponent("1;request-id:req-1")}`;
      const joined = signed(manifest, { url, headers: { "x-request-id": undefined } });
      expect(verify(joined)).to.deep.equal(refused("malformed_header"));
      for (const odd of ["", "1%3B2", "1%202", "1%3A2", "%2F"]) {
        expect(verify(signed(manifest, { url: `/?data.id=${odd}` })), odd).to.deep.equal(refused("malformed_header"));
      }
      const twice = signed(`id:1;request-id:req-1;ts:${NOW};`, { url: "/?data.id=1&data.id=2" });
      expect(verify(twice)).to.deep.equal(refused("malformed_header"));
      const semicolon = signed(`id:999999999;request-id:a;b;ts:${NOW};`, { headers: { "x-request-id": "a;b" } });
      expect(verify(semicolon)).to.deep.equal(refused("malformed_header"));
      for (const ts of [`1;ts:${NOW}`, "", "1x", "1".repeat(16)]) {
        const header = { "x-signature": `ts=${ts},v1=${mac(`id:999999999;request-id:req-1;ts:${ts};`)}` };
        expect(verify(signed(MANIFEST, { headers: header })), ts).to.deep.equal(refused("malformed_header"));
      }
    });

    it("tells seconds from milliseconds, and has a tolerance only where one is set", () => {
      const milliseconds = signed(`id:999999999;request-id:req-1;ts:${NOW}123;`);
      for (const request of [signed(MANIFEST), milliseconds]) {
        expect(verify(request, provider.toleranceSeconds, 0)).to.deep.equal(accepted);
        expect(verify(request, provider.toleranceSeconds, 4e12)).to.deep.equal(accepted);
        expect(verify(request, 300, (NOW + 300) * 1000)).to.deep.equal(accepted);
        expect(verify(request, 300, (NOW - 300) * 1000)).to.deep.equal(accepted);
        expect(verify(request, 300, (NOW + 301) * 1000)).to.deep.equal(refused("timestamp_too_old"));
        expect(verify(request, 300, (NOW - 301) * 1000)).to.deep.equal(refused("timestamp_in_future"));
      }
    });

    it("refuses headers that are missing or garbled", () => {
      const header = (value: unknown): unknown =>
        verify(signed(MANIFEST, { headers: { "x-signature": value as string } }));
      for (const odd of [undefined, "", " ", 5]) expect(header(odd)).to.deep.equal(refused("missing_header"));
      const good = mac(MANIFEST);
      for (const odd of ["x", `v1=${good}`, `ts=x,v1=${good}`, `ts=-1,v1=${good}`, `ts=${NOW},ts=${NOW},v1=${good}`]) {
        expect(header(odd), odd).to.deep.equal(refused("malformed_header"));
      }
      expect(header(`ts=${NOW},v2=${good}`)).to.deep.equal(refused("no_expected_scheme"));
      expect(header(`ts=${NOW},v1=${good.toUpperCase()}`)).to.deep.equal(refused("bad_signature"));
      expect(header(`ts=${NOW},v1=`)).to.deep.equal(refused("bad_signature"));
    });
  });

  describe("read", () => {
    it("trusts the id of the query alone, and hands on the body as unverified", () => {
      expect(read(PAYMENT)).to.deep.equal({
        id: "999999999",
        type: "payment.updated",
        key: createHash("sha256").update(MANIFEST).digest("hex"),
        livemode: undefined,
        created: undefined,
        account: undefined,
        data: "999999999",
        event: { id: "999999999", type: "payment.updated", dataId: "999999999", unverified: PAYMENT },
        unsigned: ["type"],
      });
    });

    it("makes the type of `type` and `action`", () => {
      const typeOf = (body: object): unknown => read({ ...body, data: {} }).type;
      expect(typeOf({ type: "payment", action: "payment.created" })).to.equal("payment.created");
      expect(typeOf({ type: "payment" })).to.equal("payment");
      expect(typeOf({ type: "payment", action: "" })).to.equal("payment");
      expect(typeOf({ type: "payment", action: "payment" })).to.equal("payment");
      expect(typeOf({ type: "payment", action: "payments.x" })).to.equal("payment.payments.x");
      expect(typeOf({ type: "point_integration_wh", action: "state_FINISHED" })).to.equal(
        "point_integration_wh.state_FINISHED",
      );
      expect(typeOf({ action: "payment.updated" })).to.equal("payment.updated");
      expect(typeOf({})).to.equal(undefined);
      expect(() => typeOf({ type: 5 })).to.throw(PayloadError);
      const subscription = fixture("mercadopago/subscription_preapproval.updated.json");
      const id = "2c938084726fca480172750000000000";
      const request = signed(`id:${id};request-id:req-1;ts:${NOW};`, { url: `/?data.id=${id.toUpperCase()}` });
      expect(read(subscription, request)).to.include({ id, type: "subscription_preapproval.updated" });
    });

    it("refuses a body about another resource", () => {
      for (const id of ["1", 1, "", "99999999"]) {
        expect(() => read({ ...PAYMENT, data: { id } }), `${id}`).to.throw(PayloadError, "about another resource");
      }
      for (const data of [{ id: 999_999_999 }, { id: 2 ** 60 }, { id: null }, {}, null, undefined, "1"]) {
        expect(read({ ...PAYMENT, data }).id).to.equal("999999999");
      }
    });

    it("refuses a delivery that names nothing, and one that is not there", () => {
      for (const url of ["/", "/?type=payment", "/?data.id=", "/?data.id=1&data.id=1"]) {
        expect(() => read(PAYMENT, signed(MANIFEST, { url }))).to.throw(PayloadError, "`data.id` in its query");
      }
      expect(() => provider.read(PAYMENT)).to.throw(PayloadError, "`data.id` in its query");
      expect(() => read([])).to.throw(PayloadError);
      const unsigned = requestOf({ url: URL_OF });
      expect(() => read(PAYMENT, unsigned)).to.throw(PayloadError, "has no key without its signature");
    });
  });

  it("signs what it verifies", () => {
    const options = { secret: SECRET, now: NOW * 1000, url: URL_OF };
    const expected = { "x-signature": `ts=${NOW},v1=${mac(MANIFEST)}`, "x-request-id": "req-1" };
    expect(provider.sign("", { ...options, id: "req-1" })).to.deep.equal(expected);
    expect(provider.sign("", { ...options, headers: { "X-Request-Id": "req-1" } })).to.deep.equal(expected);
    expect(provider.sign("", options)).to.deep.equal({
      "x-signature": `ts=${NOW},v1=${mac(`id:999999999;ts:${NOW};`)}`,
    });
  });

  describe("on a bus", () => {
    it("runs a signature once, whatever body comes with it", async () => {
      const { deliver, seen } = recordingBus(provider, SECRET);
      expect((await deliver(signed(MANIFEST))).outcome).to.equal("handled");
      const forged = JSON.stringify({ ...PAYMENT, id: 1, action: "payment.created" });
      expect((await deliver(signed(MANIFEST, { body: Buffer.from(forged) }))).outcome).to.equal("duplicate");
      expect(seen).to.have.length(1);
    });

    it("runs another notification about the same payment", async () => {
      const { deliver, seen } = recordingBus(provider, SECRET);
      await deliver(signed(MANIFEST));
      const { outcome } = await deliver(signed(`id:999999999;request-id:req-1;ts:${NOW + 9};`));
      expect({ outcome, runs: seen.length }).to.deep.equal({ outcome: "handled", runs: 2 });
    });

    it("answers 401 without a signature, 400 without an id and to a body about something else", async () => {
      const { deliver, seen } = recordingBus(provider, SECRET);
      expect((await deliver(requestOf({ url: URL_OF, body: "{}" }))).status).to.equal(401);
      expect((await deliver(signed(`request-id:req-1;ts:${NOW};`, { url: "/" }))).status).to.equal(400);
      const other = Buffer.from(JSON.stringify({ ...PAYMENT, data: { id: "1" } }));
      expect((await deliver(signed(MANIFEST, { body: other }))).status).to.equal(400);
      expect(seen).to.deep.equal([]);
    });
  });
});
