import { PayloadError } from "../errors.ts";
import type { CoinbaseCommerceBaseEvent, CoinbaseCommerceEventMap } from "./coinbase-commerce-events.ts";
import { defineProvider } from "./define-provider.ts";
import type { Provider } from "./provider.ts";
import { isRecord } from "./schemes/json.ts";
import { UTF8 } from "./schemes/key-forms.ts";
import type { SignatureDescription } from "./schemes/signature.ts";

/** @see https://docs.cdp.coinbase.com/commerce/docs/webhooks-security */
const signature: SignatureDescription = {
  header: "x-cc-webhook-signature",
  secrets: { signingSecrets: { kinds: [{ algorithm: "hmac-sha256", encoding: "hex", key: UTF8 }] } },
};

/**
 * Coinbase Commerce: HMAC-SHA256 over the raw body, in hex, in `X-CC-Webhook-Signature`.
 *
 * Subscribers get the `event` of the delivery; what is around it tells of the attempt, and changes with each. Segments of
 * its types are parted by colons: `charge:confirmed`.
 */
export function coinbaseCommerce(): Provider<CoinbaseCommerceEventMap, CoinbaseCommerceBaseEvent> {
  return defineProvider({
    name: "coinbase-commerce",
    delimiter: ":",
    signature,
    event: {
      form({ event }) {
        if (!isRecord(event)) throw new PayloadError("a Coinbase Commerce delivery holds an `event`");
        return event;
      },
      id: "id",
      type: "type",
      created: "created_at",
      data: "data",
    },
  });
}
