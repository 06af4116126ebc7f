import { defineProvider } from "./define-provider.ts";
import type { Provider } from "./provider.ts";
import { UTF8 } from "./schemes/key-forms.ts";
import { publicUrlOf } from "./schemes/public-url.ts";
import type { SquareBaseEvent, SquareEventMap } from "./square-events.ts";

export interface SquareOptions {
  /**
   * The notification URL of the subscription, to the letter, for an endpoint behind a proxy:
   * `"https://example.com/square"`. Default: the request's URL; of one that is only a path, `https` on the host that the
   * request names.
   */
  readonly notificationUrl?: string | undefined;
}

/**
 * Square: HMAC-SHA256 over `{url}{body}` in `X-Square-HmacSha256-Signature`, without a timestamp: the event's id is what
 * makes a captured delivery a duplicate.
 *
 * Throws `ConfigurationError` for a `notificationUrl` that is not an http or https URL.
 *
 * @see https://developer.squareup.com/docs/webhooks/step3validate
 */
export function square(options: SquareOptions = {}): Provider<SquareEventMap, SquareBaseEvent> {
  return defineProvider({
    name: "square",
    signature: {
      header: "x-square-hmacsha256-signature",
      publicUrl: publicUrlOf("notificationUrl", options.notificationUrl),
      content: "{url}{body}",
      secrets: {
        signingSecrets: {
          kinds: [{ algorithm: "hmac-sha256", encoding: "base64", key: UTF8 }],
          objection(secret) {
            if (!/^(?:EAAA|sq0)/.test(secret)) return undefined;
            return "holds an access token or an application's id: the signature key stands with the subscription";
          },
        },
      },
    },
    event: {
      id: "event_id",
      type: "type",
      created: "created_at",
      account: "merchant_id",
      data: "data",
    },
  });
}
