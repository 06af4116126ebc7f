import { constants, createPublicKey, generateKeyPairSync, publicEncrypt } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { ConfigurationError, PayloadError } from "../../src/errors.ts";
import { notifications } from "../../src/notifications.ts";
import { ZenkipayEvent, zenkipay } from "../../src/zenkipay.ts";
import { fixture } from "./fixture.ts";
import { busOf, delivery, NOW, refused, requestOf, verify } from "./standard.ts";

interface Row {
  readonly provider: string;
  readonly secret: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly now: number;
  readonly decryptKey?: string;
  readonly decrypted?: string;
}

const ROWS: readonly Row[] = JSON.parse(
  readFileSync(new URL("../../fixtures/vectors/vectors.json", import.meta.url), "utf8"),
);
const ENCRYPTED = ROWS.find((row) => row.provider === "zenkipay" && row.decryptKey) as Required<Row>;
const KEY = ENCRYPTED.decryptKey;

const PAY = fixture("zenkipay/order.pay.json");
const PAID = fixture("zenkipay/order.paid.json");
const ORDER = JSON.parse(PAY["flatData"] as string);
const CLEAR = { timestamp: 1_665_513_008_007, eventDetails: { orderId: "1" } };

/** Encrypts as Zenkipay does: blocks of as many bytes as fit, or of `step`. */
function encrypt(text: string | Uint8Array, step = 245): Record<string, unknown> {
  const bytes = Buffer.from(text);
  const blocks: Buffer[] = [];
  const key = { key: createPublicKey(KEY), padding: constants.RSA_PKCS1_PADDING };
  for (let at = 0; at < bytes.length; at += step) blocks.push(publicEncrypt(key, bytes.subarray(at, at + step)));
  return { algorithm: "RSA", encryptedData: Buffer.concat(blocks).toString("base64"), flatData: "", keySize: 2048 };
}

/** One block of exactly these bytes, padding and all. */
function raw(block: Uint8Array): Record<string, unknown> {
  const key = { key: createPublicKey(KEY), padding: constants.RSA_NO_PADDING };
  return { ...encrypt("x"), encryptedData: publicEncrypt(key, block).toString("base64") };
}

/** A block with `padding` bytes between 00 02 and the separator, if there is one. */
function block(head: readonly number[], padding: number, text: string, separator = 0): Buffer {
  const tail = Buffer.from(text.padEnd(256 - 2 - padding - 1));
  return Buffer.concat([Buffer.from(head), Buffer.alloc(padding, 7), Buffer.from([separator]), tail]);
}

const provider = zenkipay({ decryptionKey: KEY });
const CANNOT = "the payload cannot be decrypted: is `decryptionKey` this merchant's private key?";

function read(payload: unknown, from = provider) {
  const envelope = from.read(payload, { request: delivery(provider, payload) });
  return "id" in envelope ? envelope : expect.fail("one event");
}

function errorOf(payload: unknown): Error {
  try {
    read(payload);
  } catch (error) {
    return error as Error;
  }
  return expect.fail("it was read");
}

describe("zenkipay", () => {
  it("says what it is", () => {
    expect(provider).to.include({ name: "zenkipay", namespace: "zenkipay_event", toleranceSeconds: 300 });
    expect(provider.summary).to.deep.equal({
      headers: ["svix-signature", "webhook-signature"],
      algorithms: ["HMAC-SHA-256, base64"],
      content: "{id}.{timestamp}.{body}",
      secrets: ["whsec_… (base64)"],
    });
    expect(ZenkipayEvent.name).to.equal("zenkipay");
    expect(ZenkipayEvent.notifications).to.equal(notifications);
  });

  it("takes Svix's headers", () => {
    const request = delivery(provider, PAY);
    expect(Object.keys(request.headers).sort()).to.deep.equal(["svix-id", "svix-signature", "svix-timestamp"]);
    expect(verify(provider, request).verified).to.equal(true);
    expect(verify(provider, { ...request, body: Buffer.from("{}") })).to.deep.equal(refused("bad_signature"));
  });

  describe("a plain payload", () => {
    it("becomes an event with the order, which is parsed a second time", () => {
      const event = { id: "msg_1", type: "order.pay", order: ORDER };
      expect(ORDER.shopper.name).to.equal("María Núñez");
      expect(read(PAY)).to.deep.equal({
        id: "msg_1",
        type: "order.pay",
        key: "msg_1",
        livemode: undefined,
        created: undefined,
        account: undefined,
        data: ORDER,
        event,
      });
    });

    it("needs no key", () => {
      expect(read(PAY, zenkipay()).event).to.deep.equal({ id: "msg_1", type: "order.pay", order: ORDER });
    });

    it("is delivered under a type that is not known as well", () => {
      expect(read({ eventType: "order.refund", flatData: "{}" })).to.deep.include({ type: "order.refund", data: {} });
    });

    it("is refused without a type, without data, or with data that is no JSON object", () => {
      for (const [payload, why] of [
        [{ flatData: "{}" }, "a plain payload has an `eventType`"],
        [{ eventType: 5, flatData: "{}" }, "the event's `type` is not an event type"],
        [{ eventType: "order.pay" }, "a payload has `flatData` or `encryptedData`"],
        [{ eventType: "order.pay", flatData: "" }, "a payload has `flatData` or `encryptedData`"],
        [{ eventType: "order.pay", flatData: {} }, "a payload has `flatData` or `encryptedData`"],
        [{ eventType: "order.pay", flatData: "no JSON" }, "the body is not JSON"],
        [{ eventType: "order.pay", flatData: "[]" }, "the order in `flatData` is a JSON object"],
        [{ test: 2_432_232_314 }, "a payload has `flatData` or `encryptedData`"],
      ] as const) {
        expect(errorOf(payload)).to.be.instanceOf(PayloadError).with.property("message", why);
      }
    });
  });

  describe("an encrypted payload", () => {
    it("is decrypted block by block: the vector", () => {
      const { headers, body, secret, now, decrypted } = ENCRYPTED;
      const request = requestOf(body, headers);
      expect(verify(provider, request, [secret], now * 1000).verified).to.equal(true);
      const clear = JSON.parse(decrypted);
      const envelope = provider.read(JSON.parse(body), { request });
      expect(envelope).to.deep.equal({
        id: "msg_2HYAP5mNDMxY0LurmzrPvGYJTdq",
        type: "order.paid",
        key: "msg_2HYAP5mNDMxY0LurmzrPvGYJTdq",
        livemode: undefined,
        created: new Date(1_665_513_008_007),
        account: undefined,
        data: clear.eventDetails,
        event: {
          id: "msg_2HYAP5mNDMxY0LurmzrPvGYJTdq",
          type: "order.paid",
          order: clear.eventDetails,
          timestamp: 1_665_513_008_007,
        },
      });
    });

    it("may part a character between two blocks", () => {
      const clear = { ...CLEAR, eventDetails: { name: "ñ€😀".repeat(20) } };
      expect(read(encrypt(JSON.stringify(clear), 7)).data).to.deep.equal(clear.eventDetails);
    });

    it("may lack the time, and say its type", () => {
      const { event, created } = read(encrypt(JSON.stringify({ eventDetails: {} })));
      expect(event).to.deep.equal({ id: "msg_1", type: "order.paid", order: {} });
      expect(created).to.equal(undefined);
      expect(read({ ...encrypt(JSON.stringify(CLEAR)), eventType: "order.pay" }).type).to.equal("order.pay");
    });

    it("takes eight bytes of padding, and no text in a block", () => {
      const clear = JSON.stringify(CLEAR);
      expect(read(raw(block([0, 2], 8, clear))).data).to.deep.equal({ orderId: "1" });
      const empty = Buffer.from(raw(block([0, 2], 253, ""))["encryptedData"] as string, "base64");
      const rest = Buffer.from(encrypt(clear)["encryptedData"] as string, "base64");
      const both = Buffer.concat([empty, rest]).toString("base64");
      expect(read({ ...encrypt("x"), encryptedData: both }).data).to.deep.equal({ orderId: "1" });
    });

    it("fails in one way, whatever is wrong, and says no more", () => {
      const good = encrypt(JSON.stringify(CLEAR));
      const data = good["encryptedData"] as string;
      const bytes = Buffer.from(data, "base64");
      const clear = JSON.stringify(CLEAR);
      const wrong: Record<string, unknown> = {
        "no text": { ...good, encryptedData: 5 },
        null: { ...good, encryptedData: null },
        empty: { ...good, encryptedData: "" },
        "not base64": { ...good, encryptedData: "***" },
        "spaced base64": { ...good, encryptedData: `${data.slice(0, 4)} ${data.slice(4)}` },
        "a block cut short": { ...good, encryptedData: bytes.subarray(1).toString("base64") },
        "another key size": { ...good, keySize: 4096 },
        "a key size in text": { ...good, keySize: "2048" },
        "no key size": { ...good, keySize: undefined },
        "a number above the modulus": { ...good, encryptedData: Buffer.alloc(256, 255).toString("base64") },
        "an altered block": { ...good, encryptedData: Buffer.alloc(256, 1).toString("base64") },
        "another type of block": raw(block([0, 1], 8, clear)),
        "a block that begins with a one": raw(block([1, 2], 8, clear)),
        "too little padding": raw(block([0, 2], 7, clear)),
        "no separator": raw(block([0, 2], 8, clear, 7)),
        "no JSON": encrypt("no JSON"),
        "no object": encrypt("[]"),
        "no UTF-8": encrypt(Buffer.from([0x22, 0xff, 0x22])),
        "too many blocks": { ...good, encryptedData: Buffer.concat(Array(129).fill(bytes)).toString("base64") },
      };
      for (const [what, payload] of Object.entries(wrong)) {
        const error = errorOf(payload);
        expect(error, what).to.be.instanceOf(PayloadError);
        expect([error.message, error.cause], what).to.deep.equal([CANNOT, undefined]);
      }
    });

    it("takes 128 blocks", () => {
      const text = JSON.stringify({ eventDetails: { note: "x".repeat(100) } });
      expect(read(encrypt(text.padEnd(128), 1)).data).to.deep.equal({ note: "x".repeat(100) });
    });

    it("is refused when what it holds is no event", () => {
      for (const eventDetails of [undefined, null, [], "x"]) {
        expect(errorOf(encrypt(JSON.stringify({ eventDetails }))))
          .to.be.instanceOf(PayloadError)
          .with.property("message", "the decrypted payload has no `eventDetails`");
      }
    });

    it("is our fault without a key: 500, so that it comes again", async () => {
      expect(() => read(PAID, zenkipay())).to.throw(ConfigurationError, "needs `zenkipay({ decryptionKey })`");
      const { bus, seen } = busOf(zenkipay());
      expect(await bus.receive(delivery(provider, PAID))).to.include({ status: 500, outcome: "failed" });
      expect(seen).to.deep.equal([]);
    });
  });

  describe("decryptionKey", () => {
    it("may be written on one line", () => {
      const decryptionKey = KEY.replaceAll("\n", "\\n");
      expect(read(PAID, zenkipay({ decryptionKey })).type).to.equal("order.paid");
    });

    it("must be an RSA private key", () => {
      const rsa = createPublicKey(KEY).export({ type: "spki", format: "pem" }).toString();
      const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" });
      const form = "must be an RSA private key in PEM form";
      for (const [decryptionKey, why] of [
        [undefined, "must be a string"],
        [5, "must be a string"],
        ["", form],
        ["not a key", form],
        [ec.toString(), form],
        [rsa, "holds a public key and takes an RSA private key in PEM form"],
      ] as const) {
        expect(() => zenkipay({ decryptionKey: decryptionKey as string })).to.throw(
          ConfigurationError,
          `\`decryptionKey\` ${why}`,
        );
      }
    });
  });

  it("reads an event that was retrieved or read before as it is", () => {
    const event = { id: "msg_9", type: "order.paid", order: { orderId: "1" }, timestamp: NOW };
    expect(provider.read(event)).to.deep.include({ id: "msg_9", type: "order.paid", data: event.order, event });
  });

  describe("through a bus", () => {
    it("runs the subscriber once for one id", async () => {
      const { bus, seen, contexts } = busOf(provider);
      expect(await bus.receive(delivery(provider, PAY))).to.deep.include({
        status: 200,
        body: '{"received":true}',
        outcome: "handled",
      });
      expect((await bus.receive(delivery(provider, PAY, { now: NOW + 1000 }))).outcome).to.equal("duplicate");
      const fresh = delivery(provider, PAY, { headers: { "svix-id": "msg_2" } });
      expect(await bus.receive(fresh)).to.include({ status: 401, outcome: "rejected" });
      expect(seen).to.deep.equal([{ id: "msg_1", type: "order.pay", order: ORDER }]);
      expect(contexts[0]).to.include({ id: "msg_1", type: "order.pay", verifiedBy: "signature" });
    });

    it("narrows the event by its type", async () => {
      const { bus } = busOf(provider);
      const ids: string[] = [];
      bus.subscribe("order.pay", (event) => {
        ids.push(event.order.zenkiOrderId);
      });
      bus.subscribe("order.paid", (event) => {
        ids.push(event.order.orderId);
      });
      await bus.receive(delivery(provider, PAY, { id: "msg_1" }));
      await bus.receive(delivery(provider, PAID, { id: "msg_2" }));
      expect(ids).to.deep.equal(["2c910b24d19946e5a2c98c819a7c93f7", "2c910b24d19946e5a2c98c819a7c93f7"]);
    });

    it("decrypts nothing that is not signed", async () => {
      const { bus, seen } = busOf(provider);
      const good = await bus.receive(requestOf(PAID, {}));
      const bad = await bus.receive(requestOf({ ...PAID, encryptedData: "AAAA" }, {}));
      expect(good).to.include({ status: 401 });
      expect(bad).to.deep.equal(good);
      const signed = await bus.receive(delivery(provider, { ...PAID, encryptedData: "AAAA" }));
      expect(signed).to.include({ status: 400, body: '{"received":false}' });
      expect(seen).to.deep.equal([]);
    });

    it("asks for basic or bearer authentication beside the signature", async () => {
      const { bus, seen } = busOf(provider);
      const basic = `Basic ${Buffer.from("zenki:pay").toString("base64")}`;
      for (const [auth, authorization] of [
        [{ basic: { username: "zenki", password: "pay" } }, basic],
        [{ bearer: "token" }, "Bearer token"],
      ] as const) {
        bus.endpointAuth = auth;
        const id = `msg_${authorization.slice(0, 5)}`;
        const status = async (headers: Record<string, string>, signed = true) => {
          const request = signed ? delivery(provider, PAY, { id, headers }) : requestOf(PAY, headers);
          return (await bus.receive(request)).status;
        };
        expect(await status({})).to.equal(401);
        expect(await status({ authorization: "Bearer other" })).to.equal(401);
        expect(await status({ authorization }, false)).to.equal(401);
        expect(await status({ authorization })).to.equal(200);
      }
      expect(seen).to.have.length(2);
    });
  });
});
