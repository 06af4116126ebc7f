import { EventBus } from "./event-bus.ts";
import { notifications } from "./notifications.ts";
import { stripe } from "./providers/stripe.ts";
import type { StripeBaseEvent, StripeEventMap } from "./providers/stripe-events.ts";

export { type StripeOptions, stripe } from "./providers/stripe.ts";
export type { StripeBaseEvent, StripeEventMap, StripeThinEvent } from "./providers/stripe-events.ts";

/** A bus for Stripe, whichever. */
export type StripeBus = EventBus<StripeEventMap, StripeBaseEvent>;

/** The ready-made bus for Stripe. */
export const StripeEvent: StripeBus = new EventBus(stripe(), { notifications });
