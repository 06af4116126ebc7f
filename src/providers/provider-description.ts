import type { Handshakes, ProviderResponse, ReadContext, Retrieval, WebhookRequest } from "./provider.ts";
import type { HeaderName } from "./schemes/header-list.ts";
import type { Scheme, SignatureDescription } from "./schemes/signature.ts";

/**
 * Where something of the event is: a path in the body (`"meta.event_name"`), a header, or what a function finds.
 * A header is unsigned unless it is said to be signed, which the scheme must bear out; `unsigned` is a path in an event
 * into which `form` put a header.
 */
export type Place =
  | string
  | { readonly header: HeaderName; readonly signed?: boolean }
  | { readonly unsigned: string }
  | ((event: Readonly<Record<string, unknown>>, context: ReadContext) => unknown);

/** Where hookbus finds what it knows of an event. */
export interface EventDescription {
  /** What every event of this provider is: throws `PayloadError` otherwise, or gives the event in another form. */
  readonly form?: (event: Readonly<Record<string, unknown>>, context: ReadContext) => Readonly<Record<string, unknown>>;
  readonly id: Place;
  readonly type: Place;
  /** What makes two deliveries the same event, from signed content only; default: the id, or the body's hash. */
  readonly key?: Place;
  /** Seconds since 1970, milliseconds, or ISO 8601 text. */
  readonly created?: Place;
  readonly createdUnit?: "s" | "ms";
  readonly livemode?: Place;
  readonly account?: Place;
  /** The part that two deliveries of one id share; default: the whole event. */
  readonly data?: Place;
  /** The events of a delivery that carries many. */
  readonly events?: (payload: unknown) => readonly unknown[];
}

/** A provider, said as data where it can be. */
export interface ProviderDescription {
  /** The bare brand in lower case, with `-` between its words. */
  readonly name: string;
  /** Default: `stripe_event` for `stripe`. */
  readonly namespace?: string;
  /** Default: `"."`. */
  readonly delimiter?: string;
  /** Default: `["POST"]`. */
  readonly methods?: readonly string[];
  /** The scheme as data, or a scheme of your own. */
  readonly signature: SignatureDescription | Scheme;
  readonly event: EventDescription;
  /** Turns the bytes into the payload; default: JSON. */
  readonly parse?: (request: WebhookRequest) => unknown;
  readonly handshakes?: Handshakes;
  readonly retrieval?: Retrieval;
  readonly success?: ProviderResponse;
}
