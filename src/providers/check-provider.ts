import { ConfigurationError } from "../errors.ts";
import { type Names, refuseUnknown } from "../known-options.ts";
import type { EventDescription, ProviderDescription } from "./provider-description.ts";
import { isUnsigned } from "./read-event.ts";
import { signsHeader } from "./schemes/check-description.ts";
import type { HeaderName } from "./schemes/header-list.ts";
import { isRecord } from "./schemes/json.ts";

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

/** Throws `ConfigurationError` for a description with names that mean nothing, or without what every provider has. */
export function checkProvider(description: ProviderDescription): void {
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

/**
 * Throws `ConfigurationError` where the event's key, or a header that is said to be signed, is not: whoever replays a
 * delivery could send another. A scheme of one's own signs what its author says.
 */
export function checkSigned({ signature, event }: ProviderDescription): void {
  if (event.key !== undefined && isUnsigned(event.key)) {
    throw new ConfigurationError("`event.key` is not signed: whoever replays a delivery could give it another key");
  }
  for (const [field, place] of Object.entries(event)) {
    if ("verify" in signature || !isSignedHeader(place) || signsHeader(signature, place.header)) continue;
    throw new ConfigurationError(
      `\`event.${field}\` is said to be signed, and is not: name the header as the signature's \`id\`, and put {id} into \`content\``,
    );
  }
}

function isSignedHeader(place: unknown): place is { readonly header: HeaderName } {
  return isRecord(place) && "header" in place && Boolean(place["signed"]);
}
