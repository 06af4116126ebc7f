import { createHash } from "node:crypto";
import { PayloadError } from "../errors.ts";
import { defineProvider } from "./define-provider.ts";
import type { MercadoPagoBaseEvent, MercadoPagoEventMap } from "./mercadopago-events.ts";
import { isRecord } from "./payload.ts";
import type { Provider, ReadContext, RequestHeaders, SignOptions } from "./provider.ts";
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

const scheme: Scheme = {
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

/**
 * Mercado Pago: HMAC-SHA256 in hex over `data.id` of the query, the header `x-request-id` and a time.
 *
 * **The body is not signed**, and so neither is the event's type: whoever sees one delivery could send another body with
 * its signature. The key is the hash of what is signed, so that this comes to a duplicate; still, get the payment from the
 * API by `event.dataId` before you act on it. What was posted is in `event.unverified`. A delivery without `data.id` in
 * its query (older IPN) is refused, and notifications of QR codes are not signed at all.
 */
export function mercadopago(): Provider<MercadoPagoEventMap, MercadoPagoBaseEvent> {
  return defineProvider({
    name: "mercadopago",
    signature: scheme,
    event: {
      form(body, { request }) {
        const dataId = request && dataIdOf(request.url);
        if (!dataId) throw new PayloadError("a notification of Mercado Pago has `data.id` in its query");
        const posted = isRecord(body["data"]) ? body["data"]["id"] : undefined;
        // The one thing in the body that can be held against what is signed.
        if ((typeof posted === "string" || Number.isSafeInteger(posted)) && normal(`${posted}`) !== dataId) {
          throw new PayloadError("the body is about another resource than the signature");
        }
        return { id: dataId, type: typeOf(body), dataId, unverified: body };
      },
      id: "id",
      type: { unsigned: "type" },
      key: keyOf,
      data: "dataId",
    },
  });
}

/** `payment` with `payment.updated` is the latter, `subscription_preapproval` with `updated` both. */
function typeOf({ type, action }: Readonly<Record<string, unknown>>): unknown {
  if (typeof type !== "string" || typeof action !== "string" || action === "") return type ?? action;
  return action === type || action.startsWith(`${type}.`) ? action : `${type}.${action}`;
}

/** The hash of the signed text. */
function keyOf(_event: unknown, { request }: ReadContext): string {
  const manifest = request && manifestOf({ request, timestamp: timestampOf(request.headers) ?? "" });
  if (!manifest) throw new PayloadError("a notification of Mercado Pago has no key without its signature");
  return createHash("sha256").update(manifest[0]).digest("hex");
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
function dataIdOf(url: string): string | null | undefined {
  const [, query = ""] = (url.split("#")[0] as string).split(/\?(.*)/s);
  const ids = new URLSearchParams(query).getAll("data.id");
  if (ids.length === 0) return undefined;
  const [id = ""] = ids;
  return ids.length > 1 || !/^[\w.@-]+$/.test(id) ? null : normal(id);
}

/** Mercado Pago signs ids of letters and digits in lower case. */
function normal(id: string): string {
  return /^[a-z0-9]+$/i.test(id) ? id.toLowerCase() : id;
}
