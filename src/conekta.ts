import { EventBus } from "./event-bus.ts";
import { notifications } from "./notifications.ts";
import { conekta } from "./providers/conekta.ts";
import type { ConektaBaseEvent, ConektaEventMap } from "./providers/conekta-events.ts";

export { type ConektaOptions, conekta } from "./providers/conekta.ts";
export type {
  ConektaBaseEvent,
  ConektaEventMap,
  ConektaEventOf,
  ConektaEventType,
  ConektaPingEvent,
} from "./providers/conekta-events.ts";

/** The ready-made bus for Conekta. */
export const ConektaEvent: EventBus<ConektaEventMap, ConektaBaseEvent> = new EventBus(conekta(), { notifications });
