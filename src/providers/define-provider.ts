import { PayloadError } from "../errors.ts";
import { checkProvider, checkSigned } from "./check-provider.ts";
import type { EventMap, Provider } from "./provider.ts";
import type { ProviderDescription } from "./provider-description.ts";
import { eventReader } from "./read-event.ts";
import { signed } from "./schemes/signature.ts";

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
  checkProvider(description);
  const scheme = "verify" in description.signature ? description.signature : signed(description.signature);
  checkSigned(description);
  const { events } = event;
  const readEvent = eventReader(event);
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
      if (!events) return readEvent(payload, context);
      const envelopes = events(payload).map((each, index) => readEvent(each, context, index));
      if (envelopes.length === 0) throw new PayloadError("the delivery holds no event");
      return envelopes;
    },
  };
}
