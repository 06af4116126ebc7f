import type { ClerkBaseEvent, ClerkEventMap } from "./clerk-events.ts";
import type { Provider } from "./provider.ts";
import { defineStandardProvider } from "./standard.ts";

/**
 * Clerk, which delivers through Svix: the header fields are `svix-…`, the signing secret is `whsec_…`, from the
 * endpoint's page in the dashboard. The event's account is the Clerk instance (`ins_…`).
 *
 * @see https://clerk.com/docs/guides/development/webhooks/overview
 */
export function clerk(): Provider<ClerkEventMap, ClerkBaseEvent> {
  return defineStandardProvider({
    name: "clerk",
    families: ["svix", "webhook"],
    event: { account: "instance_id", data: "data" },
  });
}
