import { defineProvider } from "./define-provider.ts";
import type { LinearBaseEvent, LinearEventMap } from "./linear-events.ts";
import type { Provider } from "./provider.ts";
import { sha256 } from "./schemes/content-hash.ts";
import { isRecord, parsePayload } from "./schemes/json.ts";
import { UTF8 } from "./schemes/key-forms.ts";
import { type Scheme, signed } from "./schemes/signature.ts";
import { parseTimestamp, staleness } from "./schemes/timestamp.ts";

const base = signed({
  header: "linear-signature",
  secrets: {
    signingSecrets: {
      kinds: [{ algorithm: "hmac-sha256", encoding: "hex", key: UTF8 }],
      objection(secret) {
        if (!/^lin_(?:api|oauth)_/.test(secret)) return undefined;
        return "holds an API key (lin_…): the signing secret begins with lin_wh_ and stands on the webhook's page";
      },
    },
  },
});

/**
 * The timestamp is in the body: the header of that name is not signed.
 *
 * @see https://linear.app/developers/webhooks#securing-webhooks
 */
const signature: Scheme = {
  ...base,
  toleranceSeconds: 60,
  verify(request, options) {
    const result = base.verify(request, options);
    if ("then" in result || !result.verified) return result;
    const seconds = timestampOf(request.body);
    const reason =
      seconds === undefined ? "malformed_header" : staleness(seconds, options.now, options.toleranceSeconds);
    return reason ? { verified: false, reason } : result;
  },
};

/**
 * Linear: HMAC-SHA256 over the raw body in `Linear-Signature`; the body's `webhookTimestamp` has a minute of tolerance
 * either way, and a body without one is refused.
 *
 * The type is that of the entity and what was done: `Issue.create`. The id is the header `Linear-Delivery`, which is not
 * signed: two deliveries are the same event when their bodies are, but for the time of sending.
 */
export function linear(): Provider<LinearEventMap, LinearBaseEvent> {
  return defineProvider({
    name: "linear",
    signature,
    event: {
      id: { header: "linear-delivery" },
      key: ({ webhookTimestamp: _, ...event }) => sha256(JSON.stringify(event)),
      type: ({ type, action }) => (typeof type === "string" && typeof action === "string" ? `${type}.${action}` : ""),
      created: "createdAt",
      account: "organizationId",
      data: "data",
    },
  });
}

function timestampOf(body: Uint8Array): number | undefined {
  try {
    const payload = parsePayload(body);
    const stamp = isRecord(payload) ? payload["webhookTimestamp"] : undefined;
    return typeof stamp === "number" ? parseTimestamp(String(stamp), "ms") : undefined;
  } catch {
    return undefined;
  }
}
