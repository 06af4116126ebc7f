import type { EventBus } from "./event-bus.ts";
import type { CoinbaseCommerceBaseEvent, CoinbaseCommerceEventMap } from "./providers/coinbase-commerce-events.ts";

export { coinbaseCommerce } from "./providers/coinbase-commerce.ts";
export type {
  CoinbaseCommerceBaseEvent,
  CoinbaseCommerceEventMap,
  CoinbaseCommerceEventType,
} from "./providers/coinbase-commerce-events.ts";

/** A bus for Coinbase Commerce, whichever. */
export type CoinbaseCommerceBus = EventBus<CoinbaseCommerceEventMap, CoinbaseCommerceBaseEvent>;
