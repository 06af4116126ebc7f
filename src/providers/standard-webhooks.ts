import type { Provider } from "./provider.ts";
import { defineStandardProvider } from "./standard.ts";
import type { NoKnownTypes, StandardWebhookBaseEvent } from "./standard-events.ts";

/**
 * Any sender that follows Standard Webhooks 1.0.0, under the header fields `webhook-id`, `webhook-timestamp` and
 * `webhook-signature`, or else under Svix's (`svix-id`, …).
 *
 * Signing secrets are `whsec_…` or the base64 alone, padded or not (HMAC-SHA256), or public keys `whpk_…` (ed25519);
 * the setting takes both kinds side by side. Five minutes of tolerance either way. The event's id is the header's.
 *
 * @see https://www.standardwebhooks.com
 */
export function standardWebhooks(): Provider<NoKnownTypes, StandardWebhookBaseEvent> {
  return defineStandardProvider({ name: "standard-webhooks", families: ["webhook", "svix"], publicKeys: true });
}
