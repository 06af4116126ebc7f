import type { RequestHeaders, SignOptions, WebhookRequest } from "./provider.ts";
import type { SignedValues } from "./schemes/content.ts";
import { headerValue } from "./schemes/header.ts";
import { UTF8 } from "./schemes/key-forms.ts";
import { type Scheme, type SignatureDescription, signed } from "./schemes/signature.ts";
import type { TimestampUnit } from "./schemes/timestamp.ts";

const SIGNATURE = "x-signature";
const REQUEST_ID = "x-request-id";

/** @see https://www.mercadopago.com.br/developers/en/docs/your-integrations/notifications/webhooks */
const described = (unit: TimestampUnit): SignatureDescription => ({
  header: SIGNATURE,
  list: { separator: ",", assign: "=" },
  // Mercado Pago names no tolerance, and does not say which time a retry has: off, unless the bus sets one.
  timestamp: { item: "ts", unit, toleranceSeconds: Number.POSITIVE_INFINITY },
  content: manifestOf,
  secrets: {
    signingSecrets: {
      kinds: [{ algorithm: "hmac-sha256", encoding: "hex", tag: "v1", key: UTF8 }],
      objection: (secret) =>
        /^(?:APP_USR|TEST)-/.test(secret)
          ? "holds an access token or public key (APP_USR-…, TEST-…): the signing secret stands with the webhook, in the application's panel"
          : undefined,
    },
  },
});

const seconds = signed(described("s"));
const milliseconds = signed(described("ms"));

export const scheme: Scheme = {
  ...seconds,
  summary: { ...seconds.summary, content: "id:{data.id};request-id:{x-request-id};ts:{timestamp};" },
  // The documentation's examples have milliseconds and the SDK reads seconds: twelve digits are no seconds of this age.
  verify(request, options) {
    const unit = (timestampOf(request.headers)?.length ?? 0) >= 12 ? milliseconds : seconds;
    return unit.verify(request, options);
  },
  sign(body, options: SignOptions) {
    const id = options.id ?? headerValue(options.headers ?? {}, REQUEST_ID);
    if (id === undefined) return seconds.sign(body, options);
    const headers: RequestHeaders = { [REQUEST_ID]: id };
    return { [REQUEST_ID]: id, ...seconds.sign(body, { ...options, headers }) };
  },
};

/** The signed text of a delivery; `undefined` where one cannot be told. */
export function signedText(request: WebhookRequest): string | undefined {
  return manifestOf({ request, timestamp: timestampOf(request.headers) ?? "" })?.[0];
}

function timestampOf(headers: RequestHeaders): string | undefined {
  return /(?:^|,)ts=(\d+)/.exec(headerValue(headers, SIGNATURE)?.trim() ?? "")?.[1];
}

/**
 * The signed text, without the parts that are absent; `undefined` where a value holds what parts them, since `1;ts:2`
 * could pass for two.
 */
function manifestOf({ request, timestamp }: Pick<SignedValues, "request" | "timestamp">): [string] | undefined {
  const id = dataIdOf(request.url);
  const requestId = headerValue(request.headers, REQUEST_ID);
  if (id === null || requestId?.includes(";") || !/^\d{1,15}$/.test(timestamp)) return undefined;
  return [`${id ? `id:${id};` : ""}${requestId ? `request-id:${requestId};` : ""}ts:${timestamp};`];
}

/** `data.id` of a query; `undefined` where there is none, and `null` where it is repeated or cannot be one. */
export function dataIdOf(url: string): string | null | undefined {
  const [, query = ""] = (url.split("#")[0] as string).split(/\?(.*)/s);
  const ids = new URLSearchParams(query).getAll("data.id");
  if (ids.length === 0) return undefined;
  const [id = ""] = ids;
  return ids.length > 1 || !/^[\w.@-]+$/.test(id) ? null : normal(id);
}

/** Mercado Pago signs ids of letters and digits in lower case. */
export function normal(id: string): string {
  return /^[a-z0-9]+$/i.test(id) ? id.toLowerCase() : id;
}
