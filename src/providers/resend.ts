import type { Provider } from "./provider.ts";
import type { ResendBaseEvent, ResendEventMap } from "./resend-events.ts";
import { defineStandardProvider } from "./standard.ts";

/**
 * Resend, which delivers through Svix: the header fields are `svix-…`, the signing secret is `whsec_…`, from the
 * webhook's page in the dashboard.
 *
 * @see https://resend.com/docs/webhooks/verify-webhooks-requests
 */
export function resend(): Provider<ResendEventMap, ResendBaseEvent> {
  return defineStandardProvider({
    name: "resend",
    families: ["svix", "webhook"],
    event: { created: "created_at", data: "data" },
  });
}
