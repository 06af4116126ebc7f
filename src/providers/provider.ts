import type { KeyObject } from "node:crypto";

/** Header fields by name. Node's `req.headers` fits as it is; names are matched without regard to case. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** One HTTP delivery, as every adapter hands it over. */
export interface WebhookRequest {
  readonly method: string;
  /** Path and query, or the absolute URL, as the sender used it. */
  readonly url: string;
  readonly headers: RequestHeaders;
  /** The raw bytes, before any parsing. */
  readonly body: Uint8Array;
  /** The peer's address: the socket's, not a header's. */
  readonly ip?: string | undefined;
}

/** Why a signature was refused; for the operator's log, never for the sender. */
export type RejectionReason =
  | "missing_header"
  | "malformed_header"
  | "no_expected_scheme"
  | "bad_signature"
  | "bad_body_hash"
  | "timestamp_too_old"
  | "timestamp_in_future";

/** A secret, made ready once: parsed, its shape checked, held as a KeyObject. */
export interface SigningKey {
  /** What `context.matchedSecret` and the logs call it; never the secret itself. */
  readonly label: string;
  /** Which of the provider's schemes this key belongs to. */
  readonly scheme: string;
  readonly key: KeyObject;
  /** The last moment at which it may verify, in milliseconds since 1970; the bus leaves it out from then on. */
  readonly notAfter?: number;
}

export type Verification =
  | { readonly verified: true; readonly matchedSecret: string }
  | { readonly verified: false; readonly reason: RejectionReason };

export interface VerifyOptions {
  /** Tried all, in this order, whichever matches. */
  readonly keys: readonly SigningKey[];
  /** The clock, in milliseconds since 1970. */
  readonly now: number;
  /** How far a timestamp may lie in the past or in the future. */
  readonly toleranceSeconds: number;
}

/** The settings of a bus that can hold secrets. */
export type SecretSetting = "signingSecrets" | "privateSignature" | "webhookKeys";

/** A scheme in a few words, for the table of providers. */
export interface SchemeSummary {
  readonly headers: readonly string[];
  /** `"HMAC-SHA-256, hex"`; of several, any does. */
  readonly algorithms: readonly string[];
  /** What is signed: `"{timestamp}.{body}"`. */
  readonly content: string;
  /** What the user sets: `"text, as it stands"`. */
  readonly secrets: readonly string[];
}

/** How one setting's text becomes a key. */
export interface SecretForm {
  /** The scheme of its keys. */
  readonly scheme: string;
  /** The scheme of one secret, where the setting takes secrets of several; default: `scheme`. */
  schemeOf?(secret: string): string;
  /** Whether the setting takes several secrets. */
  readonly several: boolean;
  /** Makes the key from the text as it is. Throws where the text cannot be a key at all. */
  parse(secret: string): KeyObject;
  /**
   * Says what is wrong with a secret that could be used and is surely a mistake (an API key pasted as a secret, say):
   * a phrase that completes "`signingSecrets` …". Asked by `configure`, not by `verify()`.
   */
  objection?(secret: string): string | undefined;
}

declare const unsigned: unique symbol;

/** Something that no signature covers: not to be trusted, nor to decide what is a duplicate. */
export type Unsigned<T> = T & { readonly [unsigned]?: true };

/** What hookbus knows of an event, wherever the provider keeps it. */
export interface Envelope {
  readonly id: string | Unsigned<string>;
  /** Absent in a body that holds nothing but an id and is to be fetched back. */
  readonly type: string | undefined;
  /** What makes two deliveries the same event: from signed or retrieved content only. */
  readonly key: string;
  readonly livemode?: boolean | undefined;
  readonly created?: Date | undefined;
  readonly account?: string | undefined;
  /** The part of the event that two deliveries of one id must share. */
  readonly data: unknown;
  readonly event: unknown;
  /** What came in a header that is not signed, and so may be anybody's. */
  readonly unsigned?: readonly ("id" | "type")[] | undefined;
}

export interface FetchOptions {
  readonly apiKey: string;
  /** The connected account or child company that the event belongs to. */
  readonly account?: string | undefined;
  readonly timeoutMs: number;
  /** Aborted when the guard gives up. */
  readonly signal: AbortSignal;
  /** The posted body: unverified unless the signature was. */
  readonly params: Readonly<Record<string, unknown>>;
}

/** How events are fetched back from the provider's API. */
export interface Retrieval {
  /** When a bus without a custom retriever fetches back: whenever it has an API key, or only when it has no secret. */
  readonly when: "api-key" | "no-secret";
  /**
   * Says what is wrong with an API key that is surely a mistake (a signing secret pasted as one, say): a phrase that
   * completes "`apiKey` …".
   */
  objection?(apiKey: string): string | undefined;
  /** The grammar of the provider's event ids: nothing else is ever put into a URL. */
  readonly idPattern: RegExp;
  /** The account named by the posted body, if it has the form of one. */
  account?(params: Readonly<Record<string, unknown>>): string | undefined;
  /** Types that cannot be fetched, because the event itself ends our access. */
  readonly unfetchable: readonly string[];
  /** One real call of the provider's SDK, imported on first use. Rejects with the SDK's own errors. */
  fetch(id: string, options: FetchOptions): Promise<unknown>;
  /**
   * What an SDK error means: `UnknownEventError`, `RetrievalRefusedError` or `ProviderUnavailableError`;
   * `undefined` for an error that did not come from the provider's API.
   */
  classify(error: unknown, asked?: { readonly account?: string | undefined }): Error | undefined;
}

/** A response with a body of its own: a handshake's answer, or what the provider wants for success. */
export interface ProviderResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Handshakes {
  /** Answers a handshake that comes unsigned. It dispatches nothing. */
  beforeVerification?(request: WebhookRequest, keys: readonly SigningKey[]): ProviderResponse | undefined;
  /** Answers a handshake whose signature was verified. It dispatches nothing. */
  afterVerification?(payload: unknown, signed: SignedDelivery): ProviderResponse | undefined;
}

/** A delivery whose signature was verified. */
export interface SignedDelivery {
  readonly request: WebhookRequest;
  /** The key that matched. */
  readonly key: SigningKey;
}

export interface SignOptions {
  /** The secret's text, in the form the setting takes (for a public-key scheme: the private key). */
  readonly secret: string;
  /** Which setting's scheme to sign for; default: the provider's first. */
  readonly setting?: SecretSetting | undefined;
  /** The clock, in milliseconds since 1970, for schemes with a timestamp. */
  readonly now?: number | undefined;
  /** The id, for schemes that sign one beside the body. */
  readonly id?: string | undefined;
  /** The request's method, URL and other headers, for schemes that sign them. */
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers?: RequestHeaders | undefined;
}

/** Event types and what their events look like: `{ "charge.refunded": ChargeRefundedEvent }`. */
export type EventMap = object;

/**
 * A provider: everything hookbus needs to know of one sender of webhooks.
 *
 * @typeParam Events the event of each known type.
 * @typeParam Base the event of a type that is not known (yet).
 */
export interface Provider<Events extends EventMap = EventMap, Base = unknown> {
  /** Never set: it carries the types of the events to the bus. */
  readonly types?: { readonly events: Events; readonly base: Base };
  /** The bare brand, and the default name of a bus: `"stripe"`. */
  readonly name: string;
  /** The default namespace of its notifications: `"stripe_event"`. */
  readonly namespace: string;
  /** What parts the segments of an event type: `"."`. */
  readonly delimiter: string;
  readonly methods: readonly string[];
  /** Which settings hold secrets, and in what form. */
  readonly secrets: Readonly<Partial<Record<SecretSetting, SecretForm>>>;
  /** The scheme in a few words. */
  readonly summary?: SchemeSummary;
  /** Default tolerance for timestamps; ignored by a scheme that has none. */
  readonly toleranceSeconds: number;
  readonly handshakes?: Handshakes;
  readonly retrieval?: Retrieval;
  /** The answer to a delivery that went well, where the provider wants one of its own. */
  readonly success?: ProviderResponse;
  /**
   * Checks the signature over the raw bytes. Never throws, whatever the bytes; rejects with `ProviderUnavailableError`
   * alone, where a certificate cannot be fetched (PayPal).
   */
  verify(request: WebhookRequest, options: VerifyOptions): Verification | Promise<Verification>;
  /** Turns the bytes of a verified delivery into a payload; default: JSON. Throws `PayloadError`. */
  parse?(request: WebhookRequest): unknown;
  /**
   * Finds the envelope in a posted or retrieved event, or the envelopes of a delivery that carries many. Throws
   * `PayloadError` for anything that is not an event of this provider.
   */
  read(payload: unknown, context?: ReadContext): Envelope | readonly Envelope[];
  /** The inverse of `verify`: the header fields that make `body` a genuine delivery. */
  sign(body: Uint8Array | string, options: SignOptions): Record<string, string>;
}

/** What is at hand when an event is read. */
export interface ReadContext {
  /** Its delivery; absent when it was retrieved. */
  readonly request?: WebhookRequest | undefined;
  /** Calls the provider's API for an event that can fetch more of itself. */
  readonly client?: EventClient | undefined;
}

/** What an event may use to fetch more of itself from the provider's API. */
export interface EventClient {
  /** The bus's API key; throws `ConfigurationError` where it has none. */
  apiKey(): string;
}
