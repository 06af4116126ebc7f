import { ConfigurationError, PayloadError } from "../errors.ts";
import { optionalBoolean, optionalDate, optionalType, requireId, requireRecord } from "./payload.ts";
import type { Envelope, Provider, SecretForm, Verification } from "./provider.ts";
import { headerValue } from "./schemes/header.ts";
import { hmac, matchHmac } from "./schemes/hmac.ts";
import { readSecret, utf8Key } from "./schemes/secret.ts";
import { staleness } from "./schemes/timestamp.ts";
import { type StripeClientOptions, stripeClients } from "./stripe-client.ts";
import type { StripeBaseEvent, StripeEventMap } from "./stripe-events.ts";
import { withFetchRelated } from "./stripe-related.ts";
import { stripeAccount, stripeRetrieval, THIN_OBJECT } from "./stripe-retrieval.ts";
import { parseStripeSignature } from "./stripe-signature.ts";

const HEADER = "stripe-signature";

export interface StripeOptions extends StripeClientOptions {
  /** The `Stripe-Version` in which events are fetched: `"2026-10-28.endive"`. Default: the SDK's. */
  readonly apiVersion?: string | undefined;
}

/**
 * Stripe: HMAC-SHA256 over `{t}.{body}` in `Stripe-Signature`, with five minutes of tolerance either way.
 *
 * Takes snapshot events and thin ones (v2). A signing secret is used as it stands, `whsec_` included.
 *
 * Throws `ConfigurationError` for an `apiBase` that is not an origin.
 *
 * @see https://docs.stripe.com/webhooks#verify-manually
 */
export function stripe(options: StripeOptions = {}): Provider<StripeEventMap, StripeBaseEvent> {
  const clients = stripeClients(options);
  const request = options.apiVersion === undefined ? {} : { apiVersion: options.apiVersion };
  return {
    name: "stripe",
    namespace: "stripe_event",
    delimiter: ".",
    methods: ["POST"],
    secrets: { signingSecrets },
    toleranceSeconds: 300,
    retrieval: stripeRetrieval(clients, options.apiVersion),
    verify(webhook, { keys, now, toleranceSeconds }): Verification {
      const header = headerValue(webhook.headers, HEADER)?.trim();
      if (!header) return { verified: false, reason: "missing_header" };
      const signature = parseStripeSignature(header);
      if (typeof signature === "string") return { verified: false, reason: signature };
      const { prefix, candidates, timestamp } = signature;
      const ours = keys.filter((key) => key.scheme === signingSecrets.scheme);
      const matched = matchHmac(ours, candidates, { algorithm: "sha256", prefix, body: webhook.body });
      if (!matched) return { verified: false, reason: "bad_signature" };
      // Only now: whoever cannot sign learns nothing about our clock.
      const reason = staleness(timestamp, now, toleranceSeconds);
      return reason ? { verified: false, reason } : { verified: true, matchedSecret: matched.label };
    },
    read(payload, client) {
      const event = requireRecord(payload, "Stripe");
      return event["object"] === THIN_OBJECT
        ? readThin(withFetchRelated(event, clients, client, request))
        : readSnapshot(event);
    },
    sign(body, { secret, setting = "signingSecrets", now = Date.now() }) {
      if (setting !== "signingSecrets") throw new ConfigurationError(`Stripe signs nothing with \`${setting}\``);
      const timestamp = Math.floor(now / 1000);
      const input = { algorithm: "sha256", prefix: `${timestamp}.`, body: Buffer.from(body) } as const;
      return { [HEADER]: `t=${timestamp},v1=${hmac(readSecret(utf8Key, secret), input).toString("hex")}` };
    },
  };
}

const signingSecrets: SecretForm = {
  scheme: "v1",
  several: true,
  parse: utf8Key,
  objection(secret) {
    if (/^[srp]k_/.test(secret)) return `holds an API key (${secret.slice(0, 3)}…): ${WHERE}`;
    if (secret.startsWith("we_")) return `holds the id of an endpoint (we_…): ${WHERE}`;
    return undefined;
  },
};

const WHERE = "the signing secret begins with whsec_ and stands on the endpoint's page in the dashboard";

/** @see https://docs.stripe.com/api/events/object */
function readSnapshot(event: Record<string, unknown>): Envelope {
  // A body that holds nothing but an id, to be fetched back, need not say what it is.
  if (event["object"] !== undefined && event["object"] !== "event") {
    throw new PayloadError('a Stripe event\'s `object` is "event" or "v2.core.event"');
  }
  return { ...readCommon(event), data: event["data"] };
}

/** @see https://docs.stripe.com/api/v2/core/events/object */
function readThin(event: Record<string, unknown>): Envelope {
  const common = readCommon(event);
  if (common.type === undefined) throw new PayloadError("a thin event has a `type`");
  return { ...common, data: { related_object: event["related_object"], changes: event["changes"] } };
}

function readCommon(event: Record<string, unknown>): Omit<Envelope, "data"> {
  const id = requireId(event, "Stripe");
  return {
    id,
    type: optionalType(event),
    key: id,
    livemode: optionalBoolean(event["livemode"]),
    created: optionalDate(event["created"]),
    account: stripeAccount(event),
    event,
  };
}
