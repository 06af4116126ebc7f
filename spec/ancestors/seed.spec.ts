import { expect } from "chai";
import type { Disposer } from "../../src/bus/subscriber.ts";
import { ConektaEvent, conekta } from "../../src/conekta.ts";
import { EventBus } from "../../src/event-bus.ts";
import { memoryIdempotency } from "../../src/idempotency/memory.ts";
import { notifications } from "../../src/notifications.ts";
import { Log } from "../support/bus.ts";
import { fixtureText, Harness, RECEIVED, REFUSED } from "./harness.ts";

const CONEKTA_API_KEY = "key_eYvWV7gSDkNYXsmr";

class CustomerCreated {
  readonly names: string[] = [];

  call(event: { readonly data: { readonly object: object } }): void {
    const { object } = event.data;
    if ("name" in object) this.names.push(String(object.name));
  }
}

class BillingEventLogger {
  readonly #logger: Log;

  constructor(logger: Log) {
    this.#logger = logger;
  }

  call(event: { readonly type: string; readonly id: string }): void {
    this.#logger.info(`BILLING:${event.type}:${event.id}`);
  }
}

const linesOf = (log: Log): string[] => log.lines.map(({ message }) => message);

describe("ConektaEvent, as the README of the gem uses it", () => {
  const harness = new Harness("https://api.conekta.io", "/events");
  harness.install();

  const newBus = () => {
    const bus = new EventBus(conekta());
    bus.logger = new Log();
    bus.apiKey = CONEKTA_API_KEY;
    return bus;
  };

  describe("ready-made", () => {
    const disposers: Disposer[] = [];

    afterEach(() => {
      for (const dispose of disposers.splice(0)) dispose();
    });

    it("is configured, subscribed to, and delivers what it has retrieved", async () => {
      const rails = new Log();
      const customerCreated = new CustomerCreated();
      const charges: unknown[] = [];
      const cards: string[] = [];

      ConektaEvent.configure((events) => {
        events.apiKey = CONEKTA_API_KEY;
        events.logger = new Log();
        events.idempotency = memoryIdempotency(); // whoever used the bus before

        disposers.push(
          events.subscribe("charge.paid", (event) => {
            charges.push(event.type, event.data.object);
          }),
          events.all(new BillingEventLogger(rails)),
          events.subscribe("customer.created", customerCreated),
        );
      });
      disposers.push(ConektaEvent.subscribe("customer.card.", (event) => void cards.push(event.type)));
      const across: string[] = [];
      disposers.push(notifications.subscribe("conekta_event.", (_, { type }) => void across.push(type)));

      const card = {
        ...JSON.parse(fixtureText("evt_customer_created")),
        id: "evt_card",
        type: "customer.card.created",
      };
      harness.stubEvent("evt_charge_paid");
      harness.stubEvent("evt_customer_created");
      harness.stubEvent("evt_card", card);
      for (const id of ["evt_charge_paid", "evt_customer_created", "evt_card"]) {
        const { status, body } = await harness.post(ConektaEvent, { id });
        expect([status, body]).to.deep.equal([200, RECEIVED]);
      }

      expect(charges).to.deep.equal(["charge.paid", JSON.parse(fixtureText("evt_charge_paid")).data.object]);
      expect(customerCreated.names).to.deep.equal(["Leandro Orban"]);
      expect(cards).to.deep.equal(["customer.card.created"]);
      expect(linesOf(rails)).to.deep.equal([
        "BILLING:charge.paid:evt_charge_paid",
        "BILLING:customer.created:evt_customer_created",
        "BILLING:customer.card.created:evt_card",
      ]);
      expect(across).to.deep.equal(["charge.paid", "customer.created", "customer.card.created"]);
    });
  });

  describe("event_retriever", () => {
    const LIVE = { ...JSON.parse(fixtureText("evt_charge_paid")), livemode: true };

    it("ignores test webhooks in production", async () => {
      let production = true;
      const bus = newBus();
      const heard: string[] = [];
      bus.all(({ id }) => void heard.push(id));
      bus.eventRetriever = (params, { retrieve }) => {
        if (production && params["livemode"] !== true) return null;
        return retrieve(params.id);
      };

      const ignored = await harness.post(bus, { id: "evt_charge_paid", livemode: false });
      expect([ignored.status, ignored.body, heard]).to.deep.equal([200, RECEIVED, []]);

      harness.stubEvent("evt_charge_paid", LIVE);
      expect((await harness.post(bus, { id: "evt_charge_paid", livemode: true })).status).to.equal(200);
      expect(heard, "the ignored delivery did not use its id up").to.deep.equal(["evt_charge_paid"]);

      production = false;
      harness.stubEvent("evt_customer_created");
      expect((await harness.post(bus, { id: "evt_customer_created", livemode: false })).status).to.equal(200);
      expect(heard).to.deep.equal(["evt_charge_paid", "evt_customer_created"]);
    });

    it("retrieves with each account's own key, and ignores the delinquent", async () => {
      const accounts: Readonly<Record<string, { readonly delinquent: boolean; readonly apiKey: string }>> = {
        good: { delinquent: false, apiKey: "key_of_good" },
        bad: { delinquent: true, apiKey: "key_of_bad" },
      };
      const bus = newBus();
      const heard: string[] = [];
      bus.all(({ id }) => void heard.push(id));
      bus.eventRetriever = (params, { retrieve }) => {
        const account = accounts[String(params["user_id"])];
        if (!account) throw new Error("no such account");
        if (account.delinquent) return null;
        return retrieve(params.id, { apiKey: account.apiKey });
      };

      const api = harness.stubEvent("evt_charge_paid", fixtureText("evt_charge_paid"), 200, {
        authorization: "Bearer key_of_good",
      });
      expect((await harness.post(bus, { id: "evt_charge_paid", user_id: "bad" })).status).to.equal(200);
      expect([heard, api.isDone()]).to.deep.equal([[], false]);
      expect((await harness.post(bus, { id: "evt_charge_paid", user_id: "good" })).status).to.equal(200);
      expect([heard, api.isDone()]).to.deep.equal([["evt_charge_paid"], true]);
      expect((await harness.post(bus, { id: "evt_other", user_id: "nobody" })).status).to.equal(500);
    });
  });

  describe("Billing Events", () => {
    describe("customer.created", () => {
      beforeEach(() => {
        harness.stubEvent("evt_customer_created");
      });

      it("is successful", async () => {
        const bus = newBus();
        const customerCreated = new CustomerCreated();
        bus.subscribe("customer.created", customerCreated);
        const response = await harness.post(bus, '{"id":"evt_customer_created"}');
        expect([response.status, response.body]).to.deep.equal([200, RECEIVED]);
        expect(customerCreated.names).to.deep.equal(["Leandro Orban"]);
      });

      it("takes nothing from the posted body but the id", async () => {
        const bus = newBus();
        const heard: unknown[] = [];
        bus.all((event, { type, verifiedBy }) => void heard.push(event, type, verifiedBy));
        const forged = { id: "evt_customer_created", type: "charge.paid", data: { object: { amount: 1 } } };
        expect((await harness.post(bus, forged)).status).to.equal(200);
        expect(heard).to.deep.equal([JSON.parse(fixtureText("evt_customer_created")), "customer.created", "retrieval"]);
      });
    });
  });

  it("answers the button 'Test Webhooks', whose id is made up, with 401", async () => {
    const bus = newBus();
    const heard: unknown[] = [];
    bus.all((event) => void heard.push(event));
    const id = "6b2f5a1c9d3e4f7081a2b3c4";
    const api = harness.stubEvent(id, fixtureText("evt_invalid_id"), 404);
    const response = await harness.post(bus, { id, type: "charge.paid", object: "event" });
    expect([response.status, response.body]).to.deep.equal([401, REFUSED]);
    expect([heard, api.isDone()]).to.deep.equal([[], true]);
  });
});
