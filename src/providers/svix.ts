import type { Provider } from "./provider.ts";
import { defineStandardProvider } from "./standard.ts";
import type { NoKnownTypes, StandardWebhookBaseEvent } from "./standard-events.ts";

/**
 * Any sender that delivers through Svix: Standard Webhooks under `svix-id`, `svix-timestamp` and `svix-signature`, or
 * else under `webhook-id`, …
 *
 * Signing secrets are `whsec_…`, as the endpoint's page shows them, or public keys `whpk_…` (ed25519). Svix tries a
 * delivery again under the same id, which is the event's.
 *
 * @see https://docs.svix.com/receiving/verifying-payloads/how-manual
 */
export function svix(): Provider<NoKnownTypes, StandardWebhookBaseEvent> {
  return defineStandardProvider({ name: "svix", families: ["svix", "webhook"], publicKeys: true });
}
