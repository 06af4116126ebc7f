import type { EventBus } from "./event-bus.ts";
import type { LemonSqueezyBaseEvent, LemonSqueezyEventMap } from "./providers/lemonsqueezy-events.ts";

export { lemonsqueezy } from "./providers/lemonsqueezy.ts";
export type {
  LemonSqueezyBaseEvent,
  LemonSqueezyEventMap,
  LemonSqueezyEventType,
} from "./providers/lemonsqueezy-events.ts";

/** A bus for Lemon Squeezy, whichever. */
export type LemonSqueezyBus = EventBus<LemonSqueezyEventMap, LemonSqueezyBaseEvent>;
