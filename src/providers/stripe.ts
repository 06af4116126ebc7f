import { PayloadError } from "../errors.ts";
import { defineProvider } from "./define-provider.ts";
import type { Provider } from "./provider.ts";
import { UTF8 } from "./schemes/key-forms.ts";
import type { SignatureDescription } from "./schemes/signature.ts";
import { type StripeClientOptions, stripeClients } from "./stripe-client.ts";
import type { StripeBaseEvent, StripeEventMap } from "./stripe-events.ts";
import { withFetchRelated } from "./stripe-related.ts";
import { stripeAccount, stripeRetrieval, THIN_OBJECT } from "./stripe-retrieval.ts";

export interface StripeOptions extends StripeClientOptions {
  /** The `Stripe-Version` in which events are fetched: `"2026-10-28.endive"`. Default: the SDK's. */
  readonly apiVersion?: string | undefined;
}

const WHERE = "the signing secret begins with whsec_ and stands on the endpoint's page in the dashboard";

/** @see https://docs.stripe.com/webhooks#verify-manually */
const signature: SignatureDescription = {
  header: "stripe-signature",
  list: { separator: ",", assign: "=" },
  timestamp: { item: "t", toleranceSeconds: 300 },
  content: "{timestamp}.{body}",
  secrets: {
    signingSecrets: {
      // Only `v1` counts: `v0` comes in test mode and is no proof of anything.
      kinds: [{ algorithm: "hmac-sha256", encoding: "hex", tag: "v1", key: UTF8 }],
      objection(secret) {
        if (/^[srp]k_/.test(secret)) return `holds an API key (${secret.slice(0, 3)}…): ${WHERE}`;
        if (secret === "whsec_") return `is whsec_ and nothing behind it: ${WHERE}`;
        if (secret.startsWith("we_")) return `holds the id of an endpoint (we_…): ${WHERE}`;
        return undefined;
      },
    },
  },
};

/**
 * Stripe: HMAC-SHA256 over `{t}.{body}` in `Stripe-Signature`, with five minutes of tolerance either way.
 *
 * Takes snapshot events and thin ones (v2). A signing secret is used as it stands, `whsec_` included.
 *
 * Throws `ConfigurationError` for an `apiBase` that is not an origin.
 */
export function stripe(options: StripeOptions = {}): Provider<StripeEventMap, StripeBaseEvent> {
  const clients = stripeClients(options);
  const request = options.apiVersion === undefined ? {} : { apiVersion: options.apiVersion };
  return defineProvider({
    name: "stripe",
    signature,
    event: {
      form(event, { client }) {
        if (event["object"] === THIN_OBJECT) {
          if (event["type"] === undefined) throw new PayloadError("a thin event has a `type`");
          return withFetchRelated(event, clients, client, request);
        }
        // A body that holds nothing but an id, to be fetched back, need not say what it is.
        if (event["object"] === undefined || event["object"] === "event") return event;
        throw new PayloadError('a Stripe event\'s `object` is "event" or "v2.core.event"');
      },
      id: "id",
      type: "type",
      created: "created",
      livemode: "livemode",
      account: stripeAccount,
      data: (event) => (event["object"] === THIN_OBJECT ? thinData(event) : event["data"]),
    },
    retrieval: stripeRetrieval(clients, options.apiVersion),
  });
}

/** @see https://docs.stripe.com/api/v2/core/events/object */
function thinData(event: Readonly<Record<string, unknown>>): unknown {
  return { related_object: event["related_object"], changes: event["changes"] };
}
