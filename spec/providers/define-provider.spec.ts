import { createHash } from "node:crypto";
import { expect } from "chai";
import { type Content, defineProvider, type EventDescription, type Scheme, UTF8 } from "../../src/define-provider.ts";
import { ConfigurationError, PayloadError } from "../../src/errors.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { providerContract } from "./contract.ts";
import { Deliveries, readOf } from "./deliver.ts";

// A provider in ten lines.
const acme = defineProvider<{ "order.paid": { readonly n: number } }>({
  name: "acme-pay",
  signature: {
    header: "X-Acme-Signature",
    prefix: "v0=",
    timestamp: { header: "X-Acme-Timestamp" },
    content: "v0:{timestamp}:{body}",
    secrets: { signingSecrets: { kinds: [{ algorithm: "hmac-sha256", encoding: "hex", key: UTF8 }] } },
  },
  event: { id: "event.id", type: "event.name", created: "event.at", livemode: "live", account: "shop", data: "event" },
});

const EVENT = { live: true, shop: "shop_1", event: { id: "1", name: "order.paid", at: 1_700_000_000 } };
const BODY = JSON.stringify(EVENT);

providerContract(
  () => acme as unknown as Provider,
  [{ name: "ten lines", secret: "one", otherSecret: "two", body: BODY }],
);

describe("defineProvider", () => {
  it("fills in what goes without saying", () => {
    const { name, namespace, delimiter, methods, toleranceSeconds } = acme;
    expect({ name, namespace, delimiter, methods, toleranceSeconds }).to.deep.equal({
      name: "acme-pay",
      namespace: "acme_pay_event",
      delimiter: ".",
      methods: ["POST"],
      toleranceSeconds: 300,
    });
    expect(acme).not.to.have.any.keys("parse", "handshakes", "retrieval", "success");
  });

  describe("what a description must not say", () => {
    const kinds = [{ algorithm: "hmac-sha256", encoding: "hex", key: UTF8 }] as const;
    const FIELDS: EventDescription = { id: "id", type: "type" };
    const define = (signature: object, event: object = FIELDS, more: object = {}): Provider =>
      defineProvider({
        name: "acme",
        signature: { header: "x-s", secrets: { signingSecrets: { kinds } }, ...signature },
        event: event as EventDescription,
        ...more,
      }) as Provider;

    it("is a key that is not signed: a replay could come under another", () => {
      for (const key of [{ header: "x-request-id" }, { unsigned: "id" }]) {
        expect(() => define({}, { ...FIELDS, key })).to.throw(ConfigurationError, "`event.key` is not signed");
      }
    });

    it("is that a body goes unsigned: anybody's would pass under a captured signature", () => {
      const timestamp = { header: "x-t" };
      for (const content of ["{timestamp}", "{timestamp}.{url}", "{timestamp}.{ body }", ""]) {
        expect(() => define({ timestamp, content })).to.throw(ConfigurationError, "`content` must hold {body}");
      }
    });

    it("is a timestamp or an id that is not signed, or a signed one that comes nowhere", () => {
      for (const [signature, message] of [
        [{ timestamp: { header: "x-t" } }, "`timestamp` means nothing: `content` lacks {timestamp}"],
        [{ timestamp: { header: "x-t" }, content: "{id}.{body}", id: "x-id" }, "`timestamp` means nothing"],
        [{ id: "x-id" }, "`id` means nothing: `content` lacks {id}"],
        [{ id: "x-id", content: "{body}" }, "`id` means nothing: `content` lacks {id}"],
        [{ content: "{timestamp}.{body}" }, "`timestamp` is missing: `content` holds {timestamp}"],
        [{ content: "{id}.{body}" }, "`id` is missing: `content` holds {id}"],
      ] as const) {
        expect(() => define(signature), message).to.throw(ConfigurationError, message);
      }
    });

    it("is a field of `content` that there is not", () => {
      const message = "`content` names {foo}: there are body, timestamp, id, url, method";
      expect(() => define({ content: "{foo}.{body}" })).to.throw(ConfigurationError, message);
      expect(() => define({ content: "{toString}{body}" })).to.throw(ConfigurationError, "`content` names {toString}");
    });

    it("is that a header is signed which is not: a replay could come under a fresh id", () => {
      const signed = { id: "X-Id", timestamp: { header: "x-t" }, content: "{id}.{timestamp}.{body}" };
      const message = "is said to be signed, and is not";
      for (const field of ["id", "type", "key", "created", "livemode", "account", "data"]) {
        const event = { ...FIELDS, [field]: { header: "x-other", signed: true } };
        expect(() => define(signed, event), field).to.throw(ConfigurationError, `\`event.${field}\` ${message}`);
        for (const header of ["x-id", ["X-ID"], "x-t"]) {
          expect(() => define(signed, { ...FIELDS, [field]: { header, signed: true } }), field).not.to.throw();
        }
      }
      const event = { ...FIELDS, id: { header: "x-id", signed: true } };
      expect(() => define({}, event)).to.throw(ConfigurationError, `\`event.id\` ${message}`);
    });

    it("is that one of several names of a signed header is signed by itself", () => {
      const signed = { id: ["a-id", "b-id"], content: "{id}.{body}" };
      const place = (header: string | readonly string[]) => ({ ...FIELDS, id: { header, signed: true } });
      expect(() => define(signed, place(["A-Id", "B-Id"]))).not.to.throw();
      // Where both come, the first is what was signed.
      for (const header of ["a-id", "b-id", ["b-id", "a-id"]]) {
        expect(() => define(signed, place(header))).to.throw(ConfigurationError, "is said to be signed");
      }
    });

    it("is anything else that makes no scheme", () => {
      for (const [signature, message] of [
        [{ header: "" }, "`header` must be the name of a header"],
        [{ header: [] }, "`header` must be"],
        [{ header: "a b" }, "`header` must be"],
        [{ timestamp: {}, content: "{timestamp}{body}" }, "`timestamp` must name"],
        [{ timestamp: { header: "a", item: "t" }, content: "{timestamp}{body}" }, "`timestamp` must name"],
        [{ timestamp: { item: "t" }, content: "{timestamp}{body}" }, "`timestamp.item` is an item of a `list`"],
        [{ prefix: "v1=", list: { separator: ",", assign: "=" } }, "`prefix` and `list` exclude each other"],
        [{ list: { separator: ",", assign: "=" } }, "`tag` is missing"],
      ] as const) {
        expect(() => define(signature), message).to.throw(ConfigurationError, message);
      }
      for (const name of ["Acme", "", "a_b", "-a", undefined]) {
        expect(() => define({}, FIELDS, { name })).to.throw(ConfigurationError, "`name` must be");
      }
    });

    it("is a name that means nothing, or an event without an id or a type", () => {
      for (const [given, message] of [
        [() => define({ prefx: "v0=" }), "`signature.prefx` is no option: there are header, prefix, list, content, "],
        [() => define({ timestamp: { header: "x-t", tolerance: 5 } }), "`timestamp.tolerance` is no option"],
        [() => define({ list: { separator: ",", assign: "=", tag: "v1" } }), "`list.tag` is no option"],
        [() => define({}, FIELDS, { handshake: {} }), "`handshake` is no option: there are name, namespace, "],
        [() => define({}, { ...FIELDS, livemod: "live" }), "`event.livemod` is no option"],
        [() => define({}, { id: "id" }), "`event.type` is missing"],
        [() => define({}, { type: "type" }), "`event.id` is missing"],
      ] as const) {
        expect(given, message).to.throw(ConfigurationError, message);
      }
    });

    it("is for no scheme of one's own, nor a content put together by a function, to be asked", () => {
      const event = { ...FIELDS, id: { header: "x-id", signed: true } };
      const content: Content = ({ request }) => [String(request.headers["x-id"]), request.body];
      expect(() => define({ content }, event)).not.to.throw();
      const { secrets, summary, toleranceSeconds, verify, sign } = define({});
      const own = { secrets, summary, toleranceSeconds, verify, sign } as Scheme;
      expect(() => defineProvider({ name: "acme", signature: own, event: event as EventDescription })).not.to.throw();
    });
  });

  it("signs under the names as they were written", () => {
    expect(acme.sign(BODY, { secret: "one", now: 1_700_000_000_999 })).to.have.property(
      "X-Acme-Timestamp",
      "1700000000",
    );
  });

  it("reads an event where the description says", () => {
    expect(readOf(acme, BODY)).to.deep.equal({
      id: "1",
      type: "order.paid",
      key: "1",
      livemode: true,
      created: new Date(1_700_000_000_000),
      account: "shop_1",
      data: EVENT.event,
      event: EVENT,
    });
  });

  it("delivers to a bus", async () => {
    const to = new Deliveries(acme, "one");
    expect((await to.post(BODY)).outcome).to.equal("handled");
    expect((await to.post(BODY)).outcome).to.equal("duplicate");
    expect(to.events).to.deep.equal([EVENT]);
  });

  describe("an event's key", () => {
    const HEADERS = { "x-id": "header_1", "x-type": "a.b" };
    const hash = createHash("sha256").update(BODY).digest("hex");
    const read = (event: EventDescription) => {
      const signature = { header: "x", id: "x-id", content: "{id}.{body}", secrets: {} };
      return readOf(defineProvider({ name: "acme", signature, event }), BODY, HEADERS);
    };

    it("is the hash of the body where the id is not signed", () => {
      const unsigned = read({ id: { header: "X-Id" }, type: { header: "x-type" } });
      expect(unsigned).to.include({ id: "header_1", type: "a.b", key: hash });
      expect(unsigned.unsigned).to.deep.equal(["id", "type"]);
      const formed = read({ form: () => ({ deep: { id: "header_1" } }), id: { unsigned: "deep.id" }, type: () => "a" });
      expect(formed).to.include({ id: "header_1", key: hash });
      expect(formed.unsigned).to.deep.equal(["id"]);
    });

    it("is the id where it is signed", () => {
      const signed = read({ id: { header: "x-id", signed: true }, type: "event.name" });
      expect(signed).to.include({ id: "header_1", key: "header_1" });
      expect(signed).not.to.have.property("unsigned");
    });

    it("is what the description says, if there is such a thing", () => {
      const id = "event.id";
      const type = "event.name";
      expect(read({ id, type, key: "shop" }).key).to.equal("shop_1");
      expect(read({ id: { header: "x-id" }, type, key: "shop" }).key).to.equal("shop_1");
      for (const key of ["nothing", "live", () => ""]) expect(read({ id, type, key }).key).to.equal("1");
      expect(read({ id: { header: "x-id" }, type, key: "nothing" }).key).to.equal(hash);
    });
  });

  it("has no key without a delivery, where the id is not signed", () => {
    const signature = { header: "x", secrets: {} };
    const provider = defineProvider({ name: "acme", signature, event: { id: { unsigned: "id" }, type: "type" } });
    expect(() => provider.read({ id: "1", type: "a" })).to.throw(PayloadError, "no key without its delivery");
  });
});
