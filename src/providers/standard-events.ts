/** Any type at all: those of Standard Webhooks are the sender's. */
export type NoKnownTypes = Record<never, never>;

/** An event in the shape that Standard Webhooks recommends. Only `type` is sure to be there. */
export interface StandardWebhookBaseEvent {
  /** Segments parted by dots: `"contact.created"`. */
  readonly type: string;
  /** When it occurred, as ISO 8601 text; the attempt's timestamp is in a header. */
  readonly timestamp?: string;
  readonly data?: unknown;
  /** What the sender puts beside them. */
  readonly [field: string]: unknown;
}
