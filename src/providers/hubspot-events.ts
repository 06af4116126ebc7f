/** CRM objects that webhooks tell of. */
export type HubSpotObject = "company" | "contact" | "deal" | "line_item" | "product" | "ticket" | "object";

export type HubSpotChange = "associationChange" | "creation" | "deletion" | "merge" | "propertyChange" | "restore";

export type HubSpotEventType =
  | `${HubSpotObject}.${HubSpotChange}`
  | "contact.privacyDeletion"
  | "conversation.creation"
  | "conversation.deletion"
  | "conversation.newMessage"
  | "conversation.privacyDeletion"
  | "conversation.propertyChange";

/** An event of a type that is not known (yet). */
export interface HubSpotBaseEvent {
  /** Not unique by itself. */
  readonly eventId: number;
  readonly subscriptionId: number;
  readonly portalId: number;
  readonly appId?: number;
  /** Milliseconds since 1970. */
  readonly occurredAt: number;
  readonly subscriptionType: string;
  /** From 0. */
  readonly attemptNumber: number;
  readonly objectId?: number;
  readonly changeSource?: string;
  readonly changeFlag?: string;
  readonly propertyName?: string;
  readonly propertyValue?: string;
  readonly sourceId?: string;
  readonly [field: string]: unknown;
}

/** The event of each known type. */
export type HubSpotEventMap = {
  [Type in HubSpotEventType]: HubSpotBaseEvent & { readonly subscriptionType: Type };
};
