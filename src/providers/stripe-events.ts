import type { Stripe } from "stripe";

/** A snapshot event of a known type, as the SDK types it: `event.data.object` is the charge, the invoice, … */
type SnapshotEvents = { [Event in Stripe.Event as Event["type"]]: Event };

type Notification = Stripe.V2.Core.EventNotification;

/** A thin event as it is delivered: what the SDK adds to it is replaced by `fetchRelated`. */
export type StripeThinEvent<Of extends Notification = Notification> = Omit<
  Of,
  "context" | "fetchEvent" | "fetchRelatedObject"
> & {
  /** The account it happened in, or a path of accounts. */
  readonly context?: string;
  /**
   * Gets the related object as it is now; `null` where the event has none.
   *
   * Rejects with `ConfigurationError` where the bus has no `apiKey`, with `PayloadError` where the event's URL is not
   * a path of Stripe's API, and with the SDK's own errors.
   */
  fetchRelated(): Promise<Of extends { fetchRelatedObject(): Promise<infer Related> } ? Related : null>;
};

type ThinEvents = { [Event in Notification as Event["type"]]: StripeThinEvent<Event> };

/** The event of each type that the SDK knows: snapshot (`charge.refunded`) and thin (`v1.charge.refunded`, `v2.…`). */
export interface StripeEventMap extends SnapshotEvents, ThinEvents {}

/** An event of a type that the SDK does not know (yet). */
export interface StripeBaseEvent {
  readonly id: string;
  /** `"event"` for a snapshot event, `"v2.core.event"` for a thin one. */
  readonly object?: string;
  readonly type: string;
  /** Seconds since 1970 in a snapshot event, ISO 8601 text in a thin one. */
  readonly created?: number | string;
  readonly livemode?: boolean;
  /** The connected account of a snapshot event. */
  readonly account?: string;
  /** The context of a thin event. */
  readonly context?: string;
  readonly api_version?: string | null;
  readonly data?: unknown;
  readonly changes?: unknown;
  readonly related_object?: { readonly id?: string; readonly type: string; readonly url: string } | null;
  /** Thin events only: gets the related object as it is now. */
  fetchRelated?(): Promise<unknown>;
}
