import { PayloadError } from "../errors.ts";
import { defineProvider } from "./define-provider.ts";
import type { Provider } from "./provider.ts";
import { sha256 } from "./schemes/content-hash.ts";
import { isRecord } from "./schemes/json.ts";
import { SPKI_BASE64 } from "./schemes/key-forms.ts";
import type { SignatureDescription } from "./schemes/signature.ts";
import type { SendGridBaseEvent, SendGridEventMap } from "./sendgrid-events.ts";

/** @see https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features */
const signature: SignatureDescription = {
  header: "x-twilio-email-event-webhook-signature",
  // A batch may be hours late when it is retried, so its age is asked only by a bus that sets `tolerance`.
  timestamp: {
    header: "x-twilio-email-event-webhook-timestamp",
    toleranceSeconds: Number.POSITIVE_INFINITY,
  },
  content: "{timestamp}{body}",
  secrets: {
    signingSecrets: {
      kinds: [{ algorithm: "ecdsa-sha256", encoding: "base64", key: SPKI_BASE64 }],
      objection(secret) {
        if (!secret.startsWith("SG.")) return undefined;
        return "holds an API key (SG.…): the verification key stands with the Event Webhook's security features";
      },
    },
  },
};

/** What SendGrid's ids are made of. */
const ID = /^[\w=+-]{1,255}$/;

/**
 * SendGrid's Event Webhook: ECDSA over `{timestamp}{body}` in `X-Twilio-Email-Event-Webhook-Signature`, with the
 * verification key as `signingSecrets`.
 *
 * A delivery carries many events. Each has its own key, is handled by itself, and is not handled again when the batch
 * returns because another one failed. The type is the item's `event`: `delivered`, `bounce`, `open`. The timestamp is
 * signed but has no tolerance unless the bus sets one.
 */
export function sendgrid(): Provider<SendGridEventMap, SendGridBaseEvent> {
  const idOf = (event: Readonly<Record<string, unknown>>): string => {
    const { sg_event_id: id } = event;
    return typeof id === "string" && ID.test(id) ? id : sha256(JSON.stringify(event));
  };
  return defineProvider({
    name: "sendgrid",
    signature,
    event: {
      events(payload) {
        if (Array.isArray(payload)) return payload;
        if (isRecord(payload)) return [payload];
        throw new PayloadError("a SendGrid delivery is a list of events");
      },
      id: idOf,
      type: (event) => event["event"] ?? "",
      created: "timestamp",
    },
  });
}
