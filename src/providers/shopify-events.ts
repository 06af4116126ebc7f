/** Topics of Shopify's webhooks: the ones that most apps take, and those that every app must. There are more. */
export type ShopifyTopic =
  | "app/uninstalled"
  | "carts/create"
  | "carts/update"
  | "checkouts/create"
  | "checkouts/update"
  | "collections/create"
  | "collections/delete"
  | "collections/update"
  | "customers/create"
  | "customers/data_request"
  | "customers/delete"
  | "customers/redact"
  | "customers/update"
  | "draft_orders/create"
  | "draft_orders/delete"
  | "draft_orders/update"
  | "fulfillments/create"
  | "fulfillments/update"
  | "inventory_items/create"
  | "inventory_items/delete"
  | "inventory_items/update"
  | "inventory_levels/connect"
  | "inventory_levels/disconnect"
  | "inventory_levels/update"
  | "orders/cancelled"
  | "orders/create"
  | "orders/delete"
  | "orders/edited"
  | "orders/fulfilled"
  | "orders/paid"
  | "orders/partially_fulfilled"
  | "orders/updated"
  | "products/create"
  | "products/delete"
  | "products/update"
  | "refunds/create"
  | "shop/redact"
  | "shop/update";

/** An event of whatever topic, known or not. Shopify signs the payload alone: the rest are headers, and unsigned. */
export interface ShopifyBaseEvent {
  /** The header `X-Shopify-Webhook-Id`: one delivery, the same when it is tried again. */
  readonly id: string;
  /** The header `X-Shopify-Topic`: `"orders/create"`. */
  readonly type: string;
  /** The header `X-Shopify-Shop-Domain`: `"shop1.myshopify.com"`. */
  readonly shop?: string | undefined;
  /** The header `X-Shopify-API-Version`, in which the payload is rendered: `"2026-10"`. */
  readonly apiVersion?: string | undefined;
  /** The header `X-Shopify-Event-Id`: what the merchant did, which several webhooks may tell of. */
  readonly eventId?: string | undefined;
  /** The header `X-Shopify-Triggered-At`, ISO 8601. */
  readonly triggeredAt?: string | undefined;
  /** The body as Shopify sent it: the order, the product, … */
  readonly payload: Record<string, unknown>;
}

/** The event of each known topic. */
export type ShopifyEventMap = {
  [Topic in ShopifyTopic]: ShopifyBaseEvent & { readonly type: Topic };
};
