import { PayloadError } from "../errors.ts";
import { defineProvider } from "./define-provider.ts";
import type { Provider, ReadContext } from "./provider.ts";
import { headerValue } from "./schemes/header.ts";
import { UTF8 } from "./schemes/key-forms.ts";
import type { SignatureDescription } from "./schemes/signature.ts";
import type { ShopifyBaseEvent, ShopifyEventMap } from "./shopify-events.ts";

/**
 * Two families of headers, `Shopify-…` being the newer: where its signature is there, all the rest is its, too.
 *
 * @see https://shopify.dev/docs/apps/build/webhooks/subscribe/https#step-2-validate-the-origin-of-your-webhook
 */
const signature: SignatureDescription = {
  header: ["shopify-hmac-sha256", "x-shopify-hmac-sha256"],
  secrets: {
    signingSecrets: {
      // Several: for an hour after the secret was replaced, the old one may still sign.
      kinds: [{ algorithm: "hmac-sha256", encoding: "base64", key: UTF8 }],
      objection(secret) {
        if (!/^shp(?:at|ca|pa|ua)_/.test(secret)) return undefined;
        return "holds an access token (shp…_): deliveries are signed with the app's client secret";
      },
    },
  },
};

/**
 * Shopify: HMAC-SHA256 over the raw body, in base64, in `X-Shopify-Hmac-Sha256`.
 *
 * Bodies hold neither an id nor a topic, so that subscribers get `{ id, type, shop, payload, … }`, `type` being the topic:
 * `orders/create`. Everything but the payload comes in headers that are not signed: whoever captured a delivery may send
 * it again under another topic or shop. A payload whose `admin_graphql_api_id` is of another resource than the topic is
 * refused with `PayloadError`; beyond that, pin the topics where they are mounted:
 * `expressHandler(ShopifyEvent, { types: ["orders/create"] })`.
 */
export function shopify(): Provider<ShopifyEventMap, ShopifyBaseEvent> {
  const provider = defineProvider<ShopifyEventMap, ShopifyBaseEvent>({
    name: "shopify",
    delimiter: "/",
    signature,
    event: { form, id: { unsigned: "id" }, type: { unsigned: "type" }, data: "payload" },
  });
  return {
    ...provider,
    // Of the family that the other headers are of; without any, of the older one, as nearly every delivery.
    sign(body, options) {
      const newer = provider.sign(body, options);
      if (headerValue(options.headers ?? {}, "shopify-topic") !== undefined) return newer;
      return { "x-shopify-hmac-sha256": newer["shopify-hmac-sha256"] as string };
    },
  };
}

/** The kinds of ids (`gid://shopify/Order/1`) that the payloads of a resource's topics have. */
const RESOURCES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    app: "Shop",
    collections: "Collection",
    customers: "Customer",
    draft_orders: "DraftOrder",
    fulfillments: "Fulfillment",
    inventory_items: "InventoryItem",
    inventory_levels: "InventoryLevel",
    orders: "Order",
    products: "Product",
    refunds: "Refund",
    shop: "Shop",
  }),
);

function form(payload: Readonly<Record<string, unknown>>, { request }: ReadContext): Readonly<Record<string, unknown>> {
  const headers = request?.headers ?? {};
  const family = headerValue(headers, "shopify-hmac-sha256") === undefined ? "x-shopify" : "shopify";
  const header = (name: string): string | undefined => headerValue(headers, `${family}-${name}`);
  const type = header("topic");
  if (!type) throw new PayloadError("the delivery has no topic: the header X-Shopify-Topic is missing");
  const gid = payload["admin_graphql_api_id"];
  const resource = typeof gid === "string" ? /^gid:\/\/shopify\/(\w+)\//.exec(gid)?.[1] : undefined;
  const expected = RESOURCES.get(type.split("/", 1)[0] as string);
  if (resource !== undefined && expected !== undefined && resource !== expected) {
    throw new PayloadError(`the payload is not that of the topic "${type}" which the header X-Shopify-Topic names`);
  }
  return {
    id: header("webhook-id"),
    type,
    shop: header("shop-domain"),
    apiVersion: header("api-version"),
    eventId: header("event-id"),
    triggeredAt: header("triggered-at"),
    payload,
  };
}
