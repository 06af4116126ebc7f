import { EventBus } from "./event-bus.ts";
import { notifications } from "./notifications.ts";
import type { NoKnownTypes, StandardWebhookBaseEvent } from "./providers/standard-events.ts";
import { standardWebhooks } from "./providers/standard-webhooks.ts";

export type { StandardWebhookBaseEvent } from "./providers/standard-events.ts";
export { standardWebhooks } from "./providers/standard-webhooks.ts";

/** A bus for Standard Webhooks, whichever. */
export type StandardWebhookBus = EventBus<NoKnownTypes, StandardWebhookBaseEvent>;

/** The ready-made bus for Standard Webhooks, Svix included. */
export const StandardWebhookEvent: StandardWebhookBus = new EventBus(standardWebhooks(), { notifications });
