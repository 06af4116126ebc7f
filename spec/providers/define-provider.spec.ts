import { createHash } from "node:crypto";
import { expect } from "chai";
import { defineProvider, type EventDescription, UTF8 } from "../../src/define-provider.ts";
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

  it("refuses a key that is not signed: a replay could come under another", () => {
    const signature = {
      header: "x-s",
      secrets: { signingSecrets: { kinds: [{ algorithm: "hmac-sha256", encoding: "hex", key: UTF8 }] } },
    } as const;
    for (const key of [{ header: "x-request-id" }, { unsigned: "id" }]) {
      expect(() => defineProvider({ name: "acme", signature, event: { id: "id", type: "type", key } })).to.throw(
        ConfigurationError,
        "`event.key` is not signed",
      );
    }
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
      const { signature } = { signature: { header: "x", secrets: {} } };
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
