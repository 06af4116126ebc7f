import { expect } from "chai";
import { EventBus } from "../../src/event-bus.ts";
import { paddle } from "../../src/providers/paddle.ts";
import { shopify } from "../../src/providers/shopify.ts";
import { readerOf } from "../../src/receiver/reader.ts";
import type { Receipt } from "../../src/receiver/receipt.ts";
import { Log } from "../support/bus.ts";

const SECRET = "secret";
const ORDER = Buffer.from(JSON.stringify({ id: 1, admin_graphql_api_id: "gid://shopify/Order/1" }));

describe("an event that is ignored", () => {
  const seen: string[] = [];
  let bus: EventBus<never, { type: string }>;

  beforeEach(() => {
    seen.length = 0;
    bus = new EventBus(shopify()) as never;
    bus.logger = new Log();
    bus.signingSecrets = SECRET;
    bus.all((event: { type: string }) => void seen.push(event.type));
  });

  const deliver = (topic: string, types?: readonly string[]): Promise<Receipt> => {
    const headers = {
      ...bus.provider.sign(ORDER, { secret: SECRET }),
      "x-shopify-topic": topic,
      "x-shopify-webhook-id": `delivery-of-${topic.replace("/", "-")}`,
      "x-shopify-shop-domain": "shop.myshopify.com",
    };
    return bus.respond({ method: "POST", url: "/", headers }, readerOf(ORDER), { types });
  };

  it("by its unsigned type is used up: a captured one cannot come again as another", async () => {
    expect(await deliver("orders/create", ["orders/paid"])).to.include({ status: 200, outcome: "ignored" });
    expect(await deliver("orders/paid", ["orders/paid"])).to.include({ status: 200, outcome: "duplicate" });
    expect(seen).to.deep.equal([]);
  });

  it("by a filter that goes by its unsigned type is used up, too", async () => {
    bus.eventFilter = (event) => ((event as { type: string }).type === "orders/paid" ? event : null);
    expect(await deliver("orders/create")).to.include({ outcome: "ignored" });
    expect(await deliver("orders/paid")).to.include({ outcome: "duplicate" });
    expect(seen).to.deep.equal([]);
  });

  it("is not acknowledged when the store cannot use it up", async () => {
    bus.idempotency = {
      volatile: true,
      claim() {
        throw new Error("down");
      },
      extend() {},
      markDone() {},
      complete() {},
      release() {},
    };
    expect(await deliver("orders/create", ["orders/paid"])).to.include({ status: 503, outcome: "failed" });
  });

  it("is ignored again where nothing is remembered", async () => {
    bus.idempotency = false;
    expect(await deliver("orders/create", ["orders/paid"])).to.include({ outcome: "ignored" });
    expect(await deliver("orders/create", ["orders/paid"])).to.include({ outcome: "ignored" });
  });

  it("by its signed type stays good: another mount handles it", async () => {
    const signed = new EventBus(paddle());
    signed.signingSecrets = SECRET;
    const body = Buffer.from(JSON.stringify({ event_id: "evt_1", event_type: "transaction.paid", data: {} }));
    const head = { method: "POST", url: "/", headers: signed.provider.sign(body, { secret: SECRET }) };
    expect(await signed.respond(head, readerOf(body), { types: ["customer."] })).to.include({ outcome: "ignored" });
    expect(await signed.respond(head, readerOf(body))).to.include({ outcome: "handled" });
  });
});
