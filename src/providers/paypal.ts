import { defineProvider } from "./define-provider.ts";
import { type CertificateOptions, certificates } from "./paypal-certificates.ts";
import type { PayPalBaseEvent, PayPalEventMap } from "./paypal-events.ts";
import { paypalSignature, transmissionOf } from "./paypal-signature.ts";
import type { Provider } from "./provider.ts";

export interface PayPalOptions extends CertificateOptions {}

/**
 * PayPal: RSA-SHA256 in `paypal-transmission-sig`, under a certificate that is fetched from PayPal.
 *
 * `signingSecrets` takes the webhook's id, which ties a delivery to this endpoint; it is no secret. What is signed of the
 * body is its CRC-32, and anybody can give another body the same one. So the key is the id of the transmission, which is
 * signed: a captured delivery with another body is a duplicate. It is no proof for the body, though: where captured
 * headers are a danger, get the resource from the API before you act on it.
 *
 * PayPal names no tolerance, so that there is none unless the bus sets one. `verify` rejects, which no other provider's
 * does, with `ProviderUnavailableError` where the certificate could not be fetched: the answer is then 503, and PayPal
 * sends the event again.
 *
 * To `sign`, give `{ secret: "WEBHOOKID:-----BEGIN PRIVATE KEY-----…", headers: { "paypal-cert-url": … } }`.
 *
 * Throws `ConfigurationError` for a trusted certificate that is none.
 */
export function paypal(options: PayPalOptions = {}): Provider<PayPalEventMap, PayPalBaseEvent> {
  return defineProvider({
    name: "paypal",
    signature: paypalSignature(certificates(options)),
    event: {
      // Of the body only the CRC-32 is signed, and anybody can give another body the same one.
      id: { unsigned: "id" },
      type: { unsigned: "event_type" },
      key: (_event, { request }) => request && transmissionOf(request.headers),
      created: "create_time",
      data: "resource",
    },
  });
}
