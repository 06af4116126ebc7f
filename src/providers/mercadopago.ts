import { PayloadError } from "../errors.ts";
import { defineProvider } from "./define-provider.ts";
import type { MercadoPagoBaseEvent, MercadoPagoEventMap } from "./mercadopago-events.ts";
import { dataIdOf, normal, scheme, signedText } from "./mercadopago-signature.ts";
import type { Provider, ReadContext } from "./provider.ts";
import { sha256 } from "./schemes/content-hash.ts";
import { isRecord } from "./schemes/json.ts";

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
  const text = request && signedText(request);
  if (!text) throw new PayloadError("a notification of Mercado Pago has no key without its signature");
  return sha256(text);
}
