import { defineProvider } from "./define-provider.ts";
import type { Provider } from "./provider.ts";
import type { RazorpayBaseEvent, RazorpayEventMap } from "./razorpay-events.ts";
import { UTF8 } from "./schemes/key-forms.ts";
import type { SignatureDescription } from "./schemes/signature.ts";

/** @see https://razorpay.com/docs/webhooks/validate-test/ */
const signature: SignatureDescription = {
  header: "x-razorpay-signature",
  secrets: {
    signingSecrets: {
      kinds: [{ algorithm: "hmac-sha256", encoding: "hex", key: UTF8 }],
      objection(secret) {
        if (!/^rzp_(?:test|live)_/.test(secret)) return undefined;
        return "holds the id of an API key (rzp_…): the secret is the one that was typed in beside the webhook's URL";
      },
    },
  },
};

/**
 * Razorpay: HMAC-SHA256 over the raw body, in hex, in `X-Razorpay-Signature`.
 *
 * The event's id comes in `X-Razorpay-Event-Id`, which is not signed; the body is what makes a delivery a duplicate.
 */
export function razorpay(): Provider<RazorpayEventMap, RazorpayBaseEvent> {
  return defineProvider({
    name: "razorpay",
    signature,
    event: {
      id: { header: "x-razorpay-event-id" },
      type: "event",
      created: "created_at",
      account: "account_id",
      data: "payload",
    },
  });
}
