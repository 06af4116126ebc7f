import { PayloadError } from "../errors.ts";
import type { ConektaBaseEvent, ConektaEventMap } from "./conekta-events.ts";
import { type ConektaOptions, conektaRetrieval } from "./conekta-retrieval.ts";
import { defineProvider } from "./define-provider.ts";
import type { Provider } from "./provider.ts";
import { RSA_PRIVATE, RSA_PUBLIC } from "./schemes/key-forms.ts";
import type { SignatureDescription } from "./schemes/signature.ts";

export type { ConektaOptions };

/**
 * Which of the two it is goes by the setting that the key came from, never by trial. Neither has a timestamp, so a
 * captured delivery stays good for ever: the event's id is what makes it a duplicate.
 *
 * @see https://developers.conekta.com/docs/autenticacion-webhooks
 */
const signature: SignatureDescription = {
  header: "digest",
  secrets: {
    // Today's scheme: Conekta signs, and these are the public halves.
    webhookKeys: {
      kinds: [{ scheme: "digest-rsa-sha256", algorithm: "rsa-sha256", encoding: "base64", key: RSA_PUBLIC }],
    },
    // The scheme of the Ruby gem: Conekta encrypts the body's digest, and we hold the private key.
    privateSignature: {
      kinds: [
        { scheme: "legacy-rsa-private-decrypt", algorithm: "rsa-sealed-sha256", encoding: "base64", key: RSA_PRIVATE },
      ],
      several: false,
    },
  },
};

/**
 * Conekta: an RSA signature or an RSA-encrypted digest of the raw body, in base64, in the header `Digest`.
 *
 * Throws `ConfigurationError` for an `apiBase` that is not an http or https URL.
 */
export function conekta(options: ConektaOptions = {}): Provider<ConektaEventMap, ConektaBaseEvent> {
  return defineProvider({
    name: "conekta",
    signature,
    event: {
      form(event) {
        // A body that holds nothing but an id, to be fetched back, need not say what it is.
        if (event["object"] === undefined || event["object"] === "event") return event;
        throw new PayloadError('a Conekta event\'s `object` is "event"');
      },
      id: "id",
      type: "type",
      created: "created_at",
      livemode: "livemode",
      // Not the whole event: `webhook_status` and `webhook_logs` change from delivery to delivery.
      data: "data",
    },
    retrieval: conektaRetrieval(options),
  });
}
