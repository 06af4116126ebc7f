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

/** A bus for Conekta, whichever. */
export type ConektaBus = EventBus<ConektaEventMap, ConektaBaseEvent>;

/** The ready-made bus for Conekta. */
export const ConektaEvent: ConektaBus = new EventBus(conekta(), { notifications });
