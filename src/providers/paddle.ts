import { defineProvider } from "./define-provider.ts";
import type { PaddleBaseEvent, PaddleEventMap } from "./paddle-events.ts";
import type { Provider } from "./provider.ts";
import { UTF8 } from "./schemes/key-forms.ts";
import type { SignatureDescription } from "./schemes/signature.ts";

const WHERE = "the secret key of the notification destination (pdl_ntfset_…) is shown where it is edited";

/** @see https://developer.paddle.com/webhooks/signature-verification */
const signature: SignatureDescription = {
  header: "paddle-signature",
  list: { separator: ";", assign: "=" },
  // Paddle's own five seconds, but either way: its SDK lets a timestamp lie in the future.
  timestamp: { item: "ts", toleranceSeconds: 5 },
  content: "{timestamp}:{body}",
  secrets: {
    signingSecrets: {
      // Every `h1` counts, while a secret is replaced: Paddle's SDK looks at the last one alone.
      kinds: [{ algorithm: "hmac-sha256", encoding: "hex", tag: "h1", key: UTF8 }],
      objection(secret) {
        if (/^pdl_\w+?_apikey_/.test(secret)) return `holds an API key (pdl_…_apikey_…): ${WHERE}`;
        if (secret.startsWith("ntfset_")) return `holds the id of a notification destination (ntfset_…): ${WHERE}`;
        return undefined;
      },
    },
  },
};

/** Paddle Billing: HMAC-SHA256 over `{ts}:{body}`, in hex, in `Paddle-Signature`, with five seconds of tolerance. */
export function paddle(): Provider<PaddleEventMap, PaddleBaseEvent> {
  return defineProvider({
    name: "paddle",
    signature,
    event: { id: "event_id", type: "event_type", created: "occurred_at", data: "data" },
  });
}
