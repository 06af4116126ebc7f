import type { EventBus } from "./event-bus.ts";
import type { RazorpayBaseEvent, RazorpayEventMap } from "./providers/razorpay-events.ts";

export { razorpay } from "./providers/razorpay.ts";
export type { RazorpayBaseEvent, RazorpayEventMap, RazorpayEventType } from "./providers/razorpay-events.ts";

/** A bus for Razorpay, whichever. */
export type RazorpayBus = EventBus<RazorpayEventMap, RazorpayBaseEvent>;
