import { defineProvider } from "./define-provider.ts";
import type { LemonSqueezyBaseEvent, LemonSqueezyEventMap } from "./lemonsqueezy-events.ts";
import type { Provider } from "./provider.ts";
import { hashOf } from "./read-event.ts";
import { isRecord } from "./schemes/json.ts";
import { UTF8 } from "./schemes/key-forms.ts";
import type { SignatureDescription } from "./schemes/signature.ts";

/** @see https://docs.lemonsqueezy.com/help/webhooks/signing-requests */
const signature: SignatureDescription = {
  header: "x-signature",
  secrets: {
    signingSecrets: {
      kinds: [{ algorithm: "hmac-sha256", encoding: "hex", key: UTF8 }],
      objection(secret) {
        if (!/^eyJ[\w-]+\.[\w-]+\./.test(secret)) return undefined;
        return "holds an API key (eyJ…): the secret is the one that was typed in beside the webhook's URL";
      },
    },
  },
};

/**
 * Lemon Squeezy: HMAC-SHA256 over the raw body, in hex, in `X-Signature`.
 *
 * Events have no id: the hash of the body is the id and the key. The type is `meta.event_name`, which is signed, and not
 * the header `X-Event-Name`. A test event (`meta.test_mode`) is not live.
 */
export function lemonsqueezy(): Provider<LemonSqueezyEventMap, LemonSqueezyBaseEvent> {
  return defineProvider({
    name: "lemonsqueezy",
    signature,
    event: {
      id: (_event, { request }) => hashOf(request),
      type: "meta.event_name",
      livemode({ meta }) {
        const test = isRecord(meta) ? meta["test_mode"] : undefined;
        return typeof test === "boolean" ? !test : undefined;
      },
      data: "data",
    },
  });
}
