import { createHash } from "node:crypto";
import { ConfigurationError, PayloadError } from "../errors.ts";
import { type Names, refuseUnknown } from "./known-options.ts";
import { checkId, checkType, isRecord, optionalBoolean, optionalDate } from "./payload.ts";
import type {
  Envelope,
  EventMap,
  Handshakes,
  Provider,
  ProviderResponse,
  ReadContext,
  Retrieval,
  WebhookRequest,
} from "./provider.ts";
import { signsHeader } from "./schemes/check-description.ts";
import { firstHeader, type HeaderName } from "./schemes/header-list.ts";
import { type Scheme, type SignatureDescription, signed } from "./schemes/signature.ts";

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

const NAMES: Names<ProviderDescription> = {
  name: true,
  namespace: true,
  delimiter: true,
  methods: true,
  signature: true,
  event: true,
  parse: true,
  handshakes: true,
  retrieval: true,
  success: true,
};

const EVENT_NAMES: Names<EventDescription> = {
  form: true,
  id: true,
  type: true,
  key: true,
  created: true,
  createdUnit: true,
  livemode: true,
  account: true,
  data: true,
  events: true,
};

/**
 * Makes a provider of its description, with the guarantees of those that hookbus brings: raw bytes, every secret tried in
 * constant time, replays refused where there is a timestamp, and no trust in what is not signed.
 *
 * An id that is not signed is no part of the key: then the key is the hash of the signed body, so that a captured body
 * which comes again under a fresh id is a duplicate.
 *
 * Throws `ConfigurationError` for a description that makes no scheme, or an unsafe one: the body, and a timestamp or an id
 * that counts, must be part of what is signed, and so must a header that is said to be, and the event's `key`. A scheme of
 * your own, and a `content` that a function puts together, are yours to answer for.
 */
export function defineProvider<Events extends EventMap = EventMap, Base = unknown>(
  description: ProviderDescription,
): Provider<Events, Base> {
  const { name, event, methods = ["POST"], delimiter = ".", parse, handshakes, retrieval, success } = description;
  check(description);
  if (event.key !== undefined && isUnsigned(event.key)) {
    throw new ConfigurationError("`event.key` is not signed: whoever replays a delivery could give it another key");
  }
  const scheme = schemeOf(description);
  return {
    name,
    namespace: description.namespace ?? `${name.replaceAll("-", "_")}_event`,
    delimiter,
    methods,
    ...scheme,
    ...(parse && { parse }),
    ...(handshakes && { handshakes }),
    ...(retrieval && { retrieval }),
    ...(success && { success }),
    read(payload, context = {}) {
      if (!event.events) return readEvent(event, payload, context);
      const envelopes = event.events(payload).map((each, index) => readEvent(event, each, context, index));
      if (envelopes.length === 0) throw new PayloadError("the delivery holds no event");
      return envelopes;
    },
  };
}

function check(description: ProviderDescription): void {
  const { name, event } = description;
  refuseUnknown("", description, NAMES);
  refuseUnknown("event.", event, EVENT_NAMES);
  if (typeof name !== "string" || !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name)) {
    throw new ConfigurationError('`name` must be a brand in lower case, with - between its words: "acme-pay"');
  }
  for (const field of ["id", "type"] as const) {
    if (event[field] !== undefined) continue;
    throw new ConfigurationError(`\`event.${field}\` is missing: it says where an event has its ${field}`);
  }
}

function schemeOf({ signature, event }: ProviderDescription): Scheme {
  if ("verify" in signature) return signature;
  const scheme = signed(signature);
  for (const [field, place] of Object.entries(event)) {
    if (!isSignedHeader(place) || signsHeader(signature, place.header)) continue;
    throw new ConfigurationError(
      `\`event.${field}\` is said to be signed, and is not: name the header as the signature's \`id\`, and put {id} into \`content\``,
    );
  }
  return scheme;
}

function readEvent(description: EventDescription, payload: unknown, context: ReadContext, index = 0): Envelope {
  if (!isRecord(payload)) throw new PayloadError("an event is a JSON object");
  const event = description.form?.(payload, context) ?? payload;
  const at = (place: Place | undefined): unknown => (place === undefined ? undefined : find(place, event, context));
  const id = checkId(idOf(description.id, at(description.id)));
  const created = at(description.created);
  const account = at(description.account);
  const unsigned = (["id", "type"] as const).filter((fact) => isUnsigned(description[fact]));
  return {
    id,
    type: checkType(at(description.type)),
    key: keyOf(at(description.key)) ?? (unsigned.includes("id") ? hashOf(context.request, index) : id),
    livemode: optionalBoolean(at(description.livemode)),
    created: optionalDate(description.createdUnit === "ms" && typeof created === "number" ? created / 1000 : created),
    account: typeof account === "string" ? account : undefined,
    data: description.data === undefined ? event : at(description.data),
    event,
    ...(unsigned.length > 0 ? { unsigned } : {}),
  };
}

function idOf(place: Place, id: unknown): unknown {
  if (typeof place !== "string" || typeof id !== "number") return id;
  throw new PayloadError(`the \`id\` is a number: use a function, (event) => String(event.${place})`);
}

function find(place: Place, event: Readonly<Record<string, unknown>>, context: ReadContext): unknown {
  if (typeof place === "function") return place(event, context);
  if (typeof place === "object" && "header" in place) {
    return context.request && firstHeader(context.request.headers, place.header);
  }
  let value: unknown = event;
  for (const step of (typeof place === "object" ? place.unsigned : place).split("."))
    value = isRecord(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  return value;
}

function isUnsigned(place: Place): boolean {
  return typeof place === "object" && ("unsigned" in place || !place.signed);
}

function isSignedHeader(place: unknown): place is { readonly header: HeaderName } {
  return isRecord(place) && "header" in place && Boolean(place["signed"]);
}

function keyOf(key: unknown): string | undefined {
  return typeof key === "string" && key !== "" ? key : undefined;
}

/** The hash of the signed body; of the second and later events in it, with their place. */
export function hashOf(request: WebhookRequest | undefined, index = 0): string {
  if (!request) throw new PayloadError("an event whose id is not signed has no key without its delivery");
  const hash = createHash("sha256").update(request.body).digest("hex");
  return index === 0 ? hash : `${hash}:${index}`;
}
