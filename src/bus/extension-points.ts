import type { WebhookRequest } from "../providers/provider.ts";
import type { DeliveryFacts, VerifiedBy } from "./context.ts";

/**
 * A posted body, parsed: unverified unless `verifiedBy` says otherwise. Of a delivery that carries many events, it is the
 * part that is the one.
 */
export interface EventParams {
  /**
   * Of a body that nobody vouches for, in the grammar of the provider's ids. A body that is signed is as its provider
   * writes it, which may have its id elsewhere, or none: `context.id` is what it is known by.
   */
  readonly id: string;
  readonly [field: string]: unknown;
}

export interface RetrieveOptions {
  /** Another account's API key; default: the bus's. */
  readonly apiKey?: string;
  /** The connected account (Stripe) or child company (Conekta) to ask for; default: the one the body names, if any. */
  readonly account?: string;
}

export interface RetrieverContext<Event> {
  /** The id of the event that is asked for, wherever its delivery has it. */
  readonly id: string;
  /** The event as it would be delivered without a retriever; absent unless its signature was verified. */
  readonly event: Event | undefined;
  /** hookbus's own guarded fetch-back. */
  retrieve(id: string, options?: RetrieveOptions): Promise<Event>;
  /** The delivery; absent when a trusted caller used `instrument`. */
  readonly request: WebhookRequest | undefined;
  readonly verifiedBy: VerifiedBy;
}

/**
 * Fetches the event that `params` speaks of, in the form that subscribers get; null ignores the delivery. Where the id
 * of the event is signed, or nothing is, another event than the one that was asked for is refused.
 */
export type EventRetriever<Event> = (
  params: EventParams,
  context: RetrieverContext<Event>,
) => Event | null | Promise<Event | null>;

/** Lets an event pass (as it is, or another in its place), or ignores it by null. */
export type EventFilter<Event> = (event: Event, facts: DeliveryFacts) => Event | null | Promise<Event | null>;

/** Told of every failure, with the error itself. What it throws is dropped. */
export type ErrorListener = (error: unknown, delivery: FailedDelivery) => void;

export interface FailedDelivery {
  readonly bus: string;
  readonly id?: string | undefined;
  readonly type?: string | undefined;
}
