import { ConfigurationError, PayloadError } from "../errors.ts";
import type { EventClient } from "./provider.ts";
import { isRecord } from "./schemes/json.ts";
import type { StripeClients } from "./stripe-client.ts";
import { stripeAccount } from "./stripe-retrieval.ts";

/** A path of the API and nothing else: no host, no way up, no escapes. */
const RELATED_PATH = /^\/v[12](?:\/[A-Za-z0-9_.-]+)+(?:\?[A-Za-z0-9_.=&[\]-]*)?$/;

/** As long as a retrieval may take. */
const TIMEOUT_MS = 10_000;

/**
 * Gives a thin event its `fetchRelated()`, which is not enumerable: it is no part of the event.
 *
 * `fetchRelated()` gets the object as it is now, which may be newer than the event; `null` where the event has none.
 * It rejects with `PayloadError` for a URL that is not a path of Stripe's API, with `ConfigurationError` where the bus
 * has no API key, and with the SDK's own errors.
 */
export function withFetchRelated<Event extends Record<string, unknown>>(
  event: Event,
  clients: StripeClients,
  client: EventClient | undefined,
  request: { readonly apiVersion?: string },
): Event {
  const fetchRelated = async (): Promise<unknown> => {
    const related = event["related_object"];
    if (related === undefined || related === null) return null;
    const path = relatedPath(related);
    const stripe = await clients(() => {
      if (!client) throw new ConfigurationError("`fetchRelated` needs the `apiKey` of a bus");
      return client.apiKey();
    });
    const context = stripeAccount(event);
    const onBehalf = context === undefined ? {} : { stripeContext: context };
    return stripe.rawRequest("GET", path, undefined, {
      ...request,
      ...onBehalf,
      maxNetworkRetries: 0,
      timeout: TIMEOUT_MS,
    });
  };
  // An event that is read again, a frozen one say, is not the place to write to.
  const target = Object.isExtensible(event) ? event : { ...event };
  return Object.defineProperty(target, "fetchRelated", { value: fetchRelated, configurable: true, writable: true });
}

function relatedPath(related: unknown): string {
  const url = isRecord(related) ? related["url"] : undefined;
  if (typeof url !== "string" || !RELATED_PATH.test(url) || url.includes("..")) {
    throw new PayloadError("the event's `related_object.url` is not a path of Stripe's API");
  }
  return url;
}
