import { createHash } from "node:crypto";
import { expect } from "chai";
import { ConfigurationError, PayloadError } from "../../src/errors.ts";
import { EventBus } from "../../src/event-bus.ts";
import { notifications } from "../../src/notifications.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { shopify } from "../../src/providers/shopify.ts";
import { type ShopifyBus, ShopifyEvent } from "../../src/shopify.ts";
import { providerContract } from "./contract.ts";
import { Deliveries, readOf, requestOf } from "./deliver.ts";
import { fixture } from "./fixture.ts";

const SECRET = "test_secret_key";
const ORDER = JSON.stringify(fixture("shopify/orders.create.json"));
const PRODUCT = JSON.stringify(fixture("shopify/products.update.json"));
const deliveries = (): Deliveries => new Deliveries(shopify(), SECRET);
const headers = (topic: string, id: string = "123456789") => ({
  "x-shopify-topic": topic,
  "x-shopify-shop-domain": "shop1.myshopify.com",
  "x-shopify-api-version": "2026-10",
  "x-shopify-webhook-id": id,
});

providerContract(shopify as () => unknown as () => Provider, [
  {
    name: "an order",
    secret: SECRET,
    otherSecret: "another_secret_key",
    body: ORDER,
    headers: headers("orders/create"),
    freshHeaders: { "x-shopify-webhook-id": "another" },
  },
]);

describe("shopify", () => {
  it("says what it is", () => {
    const { name, namespace, delimiter, methods, toleranceSeconds, retrieval } = shopify();
    expect({ name, namespace, delimiter, methods, toleranceSeconds, retrieval }).to.deep.equal({
      name: "shopify",
      namespace: "shopify_event",
      delimiter: "/",
      methods: ["POST"],
      toleranceSeconds: 0,
      retrieval: undefined,
    });
    expect(ShopifyEvent.name).to.equal("shopify");
    expect(ShopifyEvent.notifications).to.equal(notifications);
  });

  it("delivers the topic, the shop and the payload, and takes none of the headers for granted", () => {
    const more = { "x-shopify-event-id": "98880550", "x-shopify-triggered-at": "2026-03-29T18:00:27.877Z" };
    expect(readOf(shopify(), ORDER, { ...headers("orders/create"), ...more })).to.deep.equal({
      id: "123456789",
      type: "orders/create",
      key: createHash("sha256").update(ORDER).digest("hex"),
      livemode: undefined,
      created: undefined,
      account: undefined,
      data: JSON.parse(ORDER),
      event: {
        id: "123456789",
        type: "orders/create",
        shop: "shop1.myshopify.com",
        apiVersion: "2026-10",
        eventId: "98880550",
        triggeredAt: "2026-03-29T18:00:27.877Z",
        payload: JSON.parse(ORDER),
      },
      unsigned: ["id", "type"],
    });
  });

  it("reads the newer family of headers where its signature is there, and the older one else", async () => {
    const older = headers("orders/create", "older");
    const newer = {
      "shopify-topic": "orders/updated",
      "shopify-webhook-id": "newer",
      "shopify-shop-domain": "new.test",
    };
    const both = { ...older, ...newer };
    expect(readOf(shopify(), ORDER, both)).to.include({ id: "older", type: "orders/create" });
    const read = readOf(shopify(), ORDER, { ...both, "shopify-hmac-sha256": "x" });
    expect(read).to.include({ id: "newer", type: "orders/updated" });
    expect(read.event).to.include({ shop: "new.test", apiVersion: undefined });

    const { bus, types } = deliveries();
    const { "x-shopify-hmac-sha256": value = "" } = shopify().sign(ORDER, { secret: SECRET });
    const forged = {
      ...both,
      "shopify-hmac-sha256": Buffer.alloc(32).toString("base64"),
      "x-shopify-hmac-sha256": value,
    };
    expect((await bus.receive(requestOf(ORDER, forged))).status).to.equal(401);
    expect((await bus.receive(requestOf(ORDER, { ...older, "x-shopify-hmac-sha256": value }))).status).to.equal(200);
    const fresh = { ...both, "shopify-hmac-sha256": value, "x-shopify-hmac-sha256": "forged" };
    expect((await bus.receive(requestOf(ORDER, fresh))).outcome).to.equal("duplicate");
    expect(types).to.deep.equal(["orders/create"]);
  });

  it("refuses a payload of another resource than the topic's", () => {
    for (const [body, topics] of [
      [ORDER, ["products/update", "customers/create", "refunds/create", "app/uninstalled", "shop/update"]],
      [PRODUCT, ["orders/paid", "draft_orders/create", "inventory_items/update", "collections/update"]],
    ] as const) {
      for (const topic of topics) {
        expect(() => readOf(shopify(), body, headers(topic)), topic).to.throw(
          PayloadError,
          `the payload is not that of the topic "${topic}" which the header X-Shopify-Topic names`,
        );
      }
    }
    expect(readOf(shopify(), PRODUCT, headers("products/create")).type).to.equal("products/create");
    expect(readOf(shopify(), ORDER, headers("brand_new/create")).type).to.equal("brand_new/create");
    // Without a global id there is nothing to tell it by.
    const deleted = JSON.stringify(fixture("shopify/products.delete.json"));
    expect(readOf(shopify(), deleted, headers("products/delete")).type).to.equal("products/delete");
    const redact = JSON.stringify(fixture("shopify/customers.redact.json"));
    expect(readOf(shopify(), redact, headers("customers/redact")).type).to.equal("customers/redact");
    for (const odd of [5, "", "Order", "gid://other/Order/1"]) {
      const body = JSON.stringify({ admin_graphql_api_id: odd });
      expect(readOf(shopify(), body, headers("products/update")).type).to.equal("products/update");
    }
  });

  it("refuses a delivery without a topic, and one without an id", () => {
    const { "x-shopify-topic": _, ...rest } = headers("orders/create");
    for (const odd of [rest, { ...rest, "x-shopify-topic": "" }]) {
      expect(() => readOf(shopify(), ORDER, odd)).to.throw(PayloadError, "the header X-Shopify-Topic is missing");
    }
    expect(() => readOf(shopify(), ORDER, { "x-shopify-topic": "orders/create" })).to.throw(PayloadError, "no `id`");
    expect(() => readOf(shopify(), ORDER, headers("orders create"))).to.throw(PayloadError, "not an event type");
    expect(() => shopify().read({})).to.throw(PayloadError, "topic");
  });

  it("delivers by segments of the topic, once", async () => {
    const to = deliveries();
    const heard: string[] = [];
    for (const pattern of ["orders", "orders/", "orders/create", "order", "orders/created"]) {
      to.bus.subscribe(pattern, () => void heard.push(pattern));
    }
    expect((await to.post(ORDER, headers("orders/create"))).outcome).to.equal("handled");
    expect((await to.post(ORDER, headers("orders/create", "fresh"))).outcome).to.equal("duplicate");
    expect(heard).to.deep.equal(["orders", "orders/", "orders/create"]);
    expect(to.types).to.deep.equal(["orders/create"]);
  });

  it("gives subscribers the topic that they asked for", () => {
    const bus: ShopifyBus = new EventBus(shopify());
    bus.subscribe("orders/create", ({ type, shop }) => [type satisfies "orders/create", shop]);
    bus.subscribe("refunds/", ({ type }) => type satisfies "refunds/create");
    bus.subscribe("brand_new/create", ({ id, type, payload }) => [id, type, payload] satisfies unknown[]);
    expect(bus.listening("orders/create")).to.equal(true);
  });

  it("takes no access token for a secret", () => {
    for (const token of ["shpat_1", "shpca_1", "shppa_1", "shpua_1"]) {
      expect(() => (deliveries().bus.signingSecrets = token)).to.throw(
        ConfigurationError,
        "holds an access token (shp…_)",
      );
    }
    deliveries().bus.signingSecrets = ["shpss_1", "hush"];
  });

  it("signs as Shopify's library checks it", () => {
    expect(shopify().sign('{"foo": "bar"}', { secret: SECRET })).to.deep.equal({
      "x-shopify-hmac-sha256": "B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7g=",
    });
    const newer = { "Shopify-Topic": "products/create" };
    expect(shopify().sign('{"foo": "bar"}', { secret: SECRET, headers: newer })).to.deep.equal({
      "shopify-hmac-sha256": "B23tXN681gZ0qIWNRrgtzBE9XSDo5yaUu6wfmhu3a7g=",
    });
    const older = { "x-shopify-topic": "products/create" };
    expect(shopify().sign("{}", { secret: SECRET, headers: older })).to.have.all.keys("x-shopify-hmac-sha256");
  });
});
