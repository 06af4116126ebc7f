import { expect } from "chai";
import { PayloadError } from "../../src/errors.ts";
import { EventBus } from "../../src/event-bus.ts";
import { type KopoKopoBus, KopoKopoEvent } from "../../src/kopokopo.ts";
import { notifications } from "../../src/notifications.ts";
import { kopokopo } from "../../src/providers/kopokopo.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { providerContract } from "./contract.ts";
import { Deliveries, readOf, requestOf } from "./deliver.ts";
import { fixture } from "./fixture.ts";

const SECRET = "8463vr8472a2372763787b7dec3dbe49879323gg32";
/** The parts of a fixture that are looked at: those of a webhook, or of a result. */
interface Sample {
  readonly id: string;
  readonly created_at: string;
  readonly event: unknown;
  readonly data: { readonly id: string; readonly attributes: { status: string } };
}
const of = (name: string): Sample => fixture(`kopokopo/${name}.json`) as unknown as Sample;
const text = (name: string): string => JSON.stringify(of(name));

providerContract(kopokopo as () => unknown as () => Provider, [
  { name: "a webhook", secret: SECRET, otherSecret: "another", body: text("buygoods_transaction_received") },
  { name: "a result", secret: SECRET, otherSecret: "another", body: text("incoming_payment") },
  { name: "a Daraja transaction", secret: SECRET, otherSecret: "another", body: text("daraja.pay_bill") },
]);

describe("kopokopo", () => {
  it("says what it is", () => {
    const { name, namespace, delimiter, methods, toleranceSeconds, secrets } = kopokopo();
    expect({ name, namespace, delimiter, methods, toleranceSeconds }).to.deep.equal({
      name: "kopokopo",
      namespace: "kopokopo_event",
      delimiter: ".",
      methods: ["POST"],
      toleranceSeconds: 0,
    });
    expect(Object.keys(secrets)).to.deep.equal(["signingSecrets"]);
    expect(KopoKopoEvent.name).to.equal("kopokopo");
    expect(KopoKopoEvent.notifications).to.equal(notifications);
  });

  for (const topic of [
    "b2b_transaction_received",
    "buygoods_transaction_received",
    "buygoods_transaction_reversed",
    "customer_created",
    "m2m_transaction_received",
    "settlement_transfer_completed",
  ]) {
    it(`reads the webhook ${topic}`, () => {
      const event = of(topic);
      expect(readOf(kopokopo(), JSON.stringify(event))).to.deep.equal({
        id: event.id,
        type: topic,
        key: event.id,
        livemode: false,
        created: new Date(event.created_at),
        account: undefined,
        data: event.event,
        event,
      });
    });
  }

  for (const [name, created] of [
    ["incoming_payment", "2020-10-19T09:24:48.622+03:00"],
    ["payment", "2021-01-28T10:00:17.827+03:00"],
    ["settlement_transfer", "2021-01-27T10:57:09.838+03:00"],
    ["polling", undefined],
  ] as const) {
    it(`reads the result ${name}`, () => {
      const event = of(name);
      const { id, attributes } = event.data;
      expect(readOf(kopokopo(), JSON.stringify(event))).to.deep.equal({
        id,
        type: name,
        key: `${id}:${attributes.status}`,
        livemode: name === "polling",
        created: created && new Date(created),
        account: undefined,
        data: attributes,
        event,
      });
    });
  }

  it("takes another status of one request for another event", () => {
    const event = of("payment");
    const pending = structuredClone(event);
    pending.data.attributes.status = "Pending";
    const keys = [event, pending].map((each) => readOf(kopokopo(), JSON.stringify(each)).key);
    expect(keys).to.deep.equal([
      "c6fda139-2480-4a93-95ed-f72c66b92364:Processed",
      "c6fda139-2480-4a93-95ed-f72c66b92364:Pending",
    ]);
  });

  it("knows an event's environment by where its links lead, and nothing else", () => {
    const linked = (self: unknown) =>
      readOf(kopokopo(), JSON.stringify({ ...of("customer_created"), _links: { self } })).livemode;
    expect(linked("https://api.kopokopo.com/webhook_events/1")).to.equal(true);
    expect(linked("https://sandbox.kopokopo.com/webhook_events/1")).to.equal(false);
    for (const odd of [
      "https://api.kopokopo.com.evil.test/",
      "http://localhost:3000/",
      "",
      "api.kopokopo.com",
      5,
      null,
    ]) {
      expect(linked(odd), String(odd)).to.equal(undefined);
    }
    expect(readOf(kopokopo(), text("incoming_payment.failed")).livemode).to.equal(undefined);
  });

  it("reads Daraja transactions by their TransID, in the time of Nairobi", () => {
    for (const [name, id, created] of [
      ["daraja.pay_bill", "OJM6Q1W84K", "2020-10-22T07:43:19.000Z"],
      ["daraja.business_payment", "OJQ8USH5XK", "2020-10-29T05:18:45.000Z"],
    ] as const) {
      const read = readOf(kopokopo(), text(name));
      expect(read).to.include({ id, key: id, type: name, livemode: undefined });
      expect(read.created?.toISOString()).to.equal(created);
      expect(read.data).to.deep.equal(of(name));
    }
    const odd = (more: object) => readOf(kopokopo(), JSON.stringify({ ...of("daraja.pay_bill"), ...more }));
    for (const time of [undefined, null, 20201022104319, "2020102210431", "202010221043190", "20209922104319", "x"]) {
      expect(odd({ TransTime: time }).created, String(time)).to.equal(undefined);
    }
    expect(odd({ TransactionType: "Customer - Merchant  Payment" }).type).to.equal("daraja.customer_merchant_payment");
    for (const type of ["", 5, null, {}]) expect(() => odd({ TransactionType: type })).to.throw(PayloadError);
    expect(() => odd({ TransID: undefined })).to.throw(PayloadError);
  });

  it("refuses what is none of the three", () => {
    for (const odd of [{}, { data: "x" }, { data: [] }, { event: {} }]) {
      expect(() => readOf(kopokopo(), JSON.stringify(odd))).to.throw(PayloadError, "a Kopo Kopo event is");
    }
    for (const odd of [
      { data: {} },
      { topic: "customer_created" },
      { topic: 5, id: "1" },
      { data: { id: "1", type: 5 } },
    ]) {
      expect(() => readOf(kopokopo(), JSON.stringify(odd))).to.throw(PayloadError);
    }
    expect(readOf(kopokopo(), JSON.stringify({ id: "1" }))).to.include({ id: "1", type: undefined, key: "1" });
  });

  it("hashes the raw bytes, however they are indented", async () => {
    const to = new Deliveries(kopokopo(), SECRET);
    const body = JSON.stringify(of("customer_created"), null, "\t");
    expect((await to.post(body)).outcome).to.equal("handled");
    expect((await to.post(text("customer_created"))).outcome).to.equal("duplicate");
    expect(to.types).to.deep.equal(["customer_created"]);
  });

  it("answers 400 to a genuine body that is no object, 401 to hex in upper case", async () => {
    const to = new Deliveries(kopokopo(), SECRET);
    expect((await to.post('"hello"')).status).to.equal(400);
    const body = text("payment");
    const { "x-kopokopo-signature": hex = "" } = kopokopo().sign(body, { secret: SECRET });
    const shouted = requestOf(body, { "x-kopokopo-signature": hex.toUpperCase() });
    expect((await to.bus.receive(shouted)).status).to.equal(401);
    expect(to.types).to.deep.equal([]);
  });

  it("gives subscribers the event that they asked for", () => {
    const bus: KopoKopoBus = new EventBus(kopokopo());
    bus.subscribe("customer_created", ({ topic, event }) => [topic satisfies "customer_created", event.resource]);
    bus.subscribe("payment", ({ data }) => [data.type satisfies "payment", data.attributes.status]);
    bus.subscribe("daraja.", ({ TransID }) => TransID satisfies string);
    expect(bus.listening("payment")).to.equal(true);
  });

  it("delivers to subscribers by topic, result and Daraja type", async () => {
    const to = new Deliveries(kopokopo(), SECRET);
    const heard: string[] = [];
    for (const pattern of ["daraja.", "payment", "customer_created", "customer", "customer_"]) {
      to.bus.subscribe(pattern, () => void heard.push(pattern));
    }
    for (const name of ["customer_created", "payment", "daraja.pay_bill"]) await to.post(text(name));
    expect(heard).to.deep.equal(["customer_created", "payment", "daraja."]);
  });
});
