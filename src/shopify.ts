import { EventBus } from "./event-bus.ts";
import { notifications } from "./notifications.ts";
import { shopify } from "./providers/shopify.ts";
import type { ShopifyBaseEvent, ShopifyEventMap } from "./providers/shopify-events.ts";

export { shopify } from "./providers/shopify.ts";
export type { ShopifyBaseEvent, ShopifyEventMap, ShopifyTopic } from "./providers/shopify-events.ts";

/** A bus for Shopify, whichever. */
export type ShopifyBus = EventBus<ShopifyEventMap, ShopifyBaseEvent>;

/** The ready-made bus for Shopify. */
export const ShopifyEvent: ShopifyBus = new EventBus(shopify(), { notifications });
