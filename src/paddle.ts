import type { EventBus } from "./event-bus.ts";
import type { PaddleBaseEvent, PaddleEventMap } from "./providers/paddle-events.ts";

export { paddle } from "./providers/paddle.ts";
export type { PaddleBaseEvent, PaddleEventMap, PaddleEventType } from "./providers/paddle-events.ts";

/** A bus for Paddle Billing, whichever. */
export type PaddleBus = EventBus<PaddleEventMap, PaddleBaseEvent>;
