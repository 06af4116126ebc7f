import type { EventResponse } from "conekta";
import type { ConektaEventType } from "./conekta-event-types.ts";

export { CONEKTA_EVENT_TYPES, type ConektaEventType } from "./conekta-event-types.ts";

/** A resource of Conekta's, in the shape of the API version that the webhook was made with. */
type ConektaResource = NonNullable<EventResponse["data"]>;

/** An event of a type that is not known (yet). */
export type ConektaBaseEvent = Omit<EventResponse, "id" | "type"> & { id: string; type: string };

/** An event of a known type: `data.object` is the charge, the order, the customer, … */
export type ConektaEventOf<Type extends ConektaEventType> = Omit<EventResponse, "id" | "type" | "data"> & {
  id: string;
  type: Type;
  data: { object: ConektaResource; previous_attributes?: ConektaResource };
};

/** What Conekta sends to try a webhook out; it has no `data.object`. */
export type ConektaPingEvent = Omit<EventResponse, "id" | "type" | "data"> & {
  id: string;
  type: "webhook_ping";
  data: { livemode: boolean; action: "ping" };
};

/** The event of each known type. */
export type ConektaEventMap = {
  [Type in Exclude<ConektaEventType, "webhook_ping">]: ConektaEventOf<Type>;
} & { webhook_ping: ConektaPingEvent };
