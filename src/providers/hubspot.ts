import { PayloadError } from "../errors.ts";
import { defineProvider } from "./define-provider.ts";
import type { HubSpotBaseEvent, HubSpotEventMap } from "./hubspot-events.ts";
import { type HubSpotVersion, hubspotSignature } from "./hubspot-signature.ts";
import type { Provider } from "./provider.ts";
import { publicUrlOf } from "./schemes/public-url.ts";

export interface HubSpotOptions {
  /**
   * The signatures that are accepted; default: all three. A delivery that carries v3 is checked by v3 alone. v1 and v2
   * have no timestamp, and whoever captured a delivery can strip v3 off it: `["v3"]` is the choice where all come.
   */
  readonly versions?: readonly HubSpotVersion[] | undefined;
  /**
   * The endpoint's URL as HubSpot has it, for an endpoint behind a proxy: `"https://example.com/hubspot"`. Its origin,
   * and its path unless that is `/`, replace the request's. Default: the request's URL; of one that is only a path,
   * `https` on the host that the request names.
   */
  readonly publicUrl?: string | undefined;
}

/**
 * HubSpot: v3 is HMAC-SHA256 over `{method}{url}{body}{timestamp}` in `X-HubSpot-Signature-v3`, with five minutes of
 * tolerance either way; v1 and v2 are digests of the client secret and the request in `X-HubSpot-Signature`.
 *
 * A delivery carries up to a hundred events, each handled by itself. `eventId` alone is not unique: the key is made of
 * the portal, the subscription, the object and the time as well, and not of `attemptNumber`, which retries count up.
 *
 * Throws `ConfigurationError` for a `publicUrl` that is not an http or https URL, and for an odd list of `versions`.
 */
export function hubspot(options: HubSpotOptions = {}): Provider<HubSpotEventMap, HubSpotBaseEvent> {
  return defineProvider({
    name: "hubspot",
    signature: hubspotSignature(options.versions, publicUrlOf("publicUrl", options.publicUrl)),
    event: {
      events(payload) {
        if (Array.isArray(payload)) return payload;
        throw new PayloadError("a HubSpot delivery is a list of events");
      },
      id: ({ eventId }) => textOf(eventId),
      key: (event) =>
        JSON.stringify(
          ["portalId", "subscriptionId", "objectId", "occurredAt", "eventId"].map((name) => event[name] ?? null),
        ),
      type: ({ subscriptionType }) => subscriptionType ?? "",
      created: "occurredAt",
      createdUnit: "ms",
      account: ({ portalId }) => textOf(portalId),
      data: ({ attemptNumber: _, ...event }) => event,
    },
  });
}

function textOf(value: unknown): unknown {
  return typeof value === "number" ? String(value) : value;
}
