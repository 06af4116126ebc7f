import { ConfigurationError, PayloadError } from "../errors.ts";
import { defineProvider } from "./define-provider.ts";
import type { Provider, ReadContext, WebhookRequest } from "./provider.ts";
import { contentHash, sha256 } from "./schemes/content-hash.ts";
import { parseForm } from "./schemes/form.ts";
import { parsePayload } from "./schemes/json.ts";
import { publicUrlOf } from "./schemes/public-url.ts";
import type { TwilioBaseEvent, TwilioEventMap } from "./twilio-events.ts";
import { idOf, typeOf } from "./twilio-resources.ts";
import { signedContent, twilioSignature } from "./twilio-signature.ts";
import { hasBodyHash, queryOf } from "./twilio-url.ts";

export interface TwilioOptions {
  /**
   * The endpoint's URL as Twilio has it, for an endpoint behind a proxy: `"https://example.com/sms"`. Its origin, and
   * its path unless that is `/`, replace the request's; it has no query, because the request's is signed. Default: the
   * request's URL; of one that is only a path, `https` on the host that the request names.
   */
  readonly publicUrl?: string | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Twilio: HMAC-SHA1 over the URL and the form's fields in `X-Twilio-Signature`, without a timestamp.
 *
 * Takes messaging and voice webhooks, by POST or GET (`message.received`, `message.delivered`, `call.completed`), other
 * products' by their `EventType`, JSON bodies whose hash is in the URL, and Event Streams. A delivery is a duplicate
 * when all that was signed is the same, so that each status of a message is an event of its own.
 *
 * Throws `ConfigurationError` for a `publicUrl` that is not an http or https URL, or has a query.
 */
export function twilio(options: TwilioOptions = {}): Provider<TwilioEventMap, TwilioBaseEvent> {
  const publicUrl = publicUrlOf("publicUrl", options.publicUrl);
  if (publicUrl?.includes("?")) throw new ConfigurationError("`publicUrl` has a query: the request's own is signed");
  const keyOf = (event: Fields, context: ReadContext): string => {
    const { request } = context;
    if (isCloudEvent(event, context)) return `${event["source"]}#${event["id"]}`;
    if (!request) return contentHash(event, context);
    // The items of a JSON list are events of their own; a form is one, whose fields the signature does not keep apart.
    return sha256(signedContent(request, publicUrl), hasBodyHash(request.url) ? JSON.stringify(event) : "");
  };
  return defineProvider({
    name: "twilio",
    methods: ["POST", "GET"],
    signature: twilioSignature(publicUrl),
    parse,
    event: {
      events: (payload) => (Array.isArray(payload) ? payload : [payload]),
      id: (event, context) => (isCloudEvent(event, context) ? event["id"] : (idOf(event) ?? keyOf(event, context))),
      key: keyOf,
      type: (event, context) => (isCloudEvent(event, context) ? event["type"] : typeOf(event)),
      created: (event) => event["time"] ?? event["Timestamp"],
      account: (event) => event["AccountSid"],
      data: (event, context) => (isCloudEvent(event, context) ? event["data"] : event),
    },
    success: {
      status: 200,
      headers: { "content-type": "text/xml" },
      body: '<?xml version="1.0" encoding="UTF-8"?><Response></Response>',
    },
  });
}

/** What is read is what was signed: JSON by its hash, a form by its fields, a query as part of the URL. */
function parse({ method, url, body }: WebhookRequest): unknown {
  if (hasBodyHash(url)) return parsePayload(body);
  return parseForm(method === "GET" ? Buffer.from(queryOf(url)) : body);
}

/** An event of Event Streams, which come as JSON only. */
function isCloudEvent(event: Fields, { request }: ReadContext): boolean {
  if (typeof event["specversion"] !== "string" || (request && !hasBodyHash(request.url))) return false;
  if (typeof event["source"] === "string" && typeof event["type"] === "string") return true;
  throw new PayloadError("a CloudEvent has a `source` and a `type`");
}
