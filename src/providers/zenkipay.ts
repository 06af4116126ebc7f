import type { KeyObject } from "node:crypto";
import { ConfigurationError, PayloadError } from "../errors.ts";
import type { Provider } from "./provider.ts";
import { firstHeader } from "./schemes/header-list.ts";
import { isRecord, parsePayload } from "./schemes/json.ts";
import { rsaKey } from "./schemes/secret.ts";
import { defineStandardProvider } from "./standard.ts";
import { decryptPayload } from "./zenkipay-decrypt.ts";
import type { ZenkipayBaseEvent, ZenkipayEventMap } from "./zenkipay-events.ts";

export interface ZenkipayOptions {
  /**
   * The merchant's RSA private key in PEM form, for endpoints that get encrypted payloads. Line ends may be written as
   * `\n`. Without it, an encrypted payload is answered 500, so that it comes again.
   */
  readonly decryptionKey?: string | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Zenkipay, which delivers through Svix: the header fields are `svix-…`, the signing secret is `whsec_…`, from the
 * portal. The endpoint's basic or bearer authentication there is `endpointAuth` here.
 *
 * A payload comes plain (`order.pay`, the order in `flatData`) or encrypted and without a type (`order.paid`); either
 * way the subscriber gets `{ id, type, order }`.
 *
 * Throws `ConfigurationError` for a `decryptionKey` that is not an RSA private key.
 *
 * @see https://github.com/zenkifi/zenkipay-api-sdk-php/blob/main/docs/Model/Webhook.md
 */
export function zenkipay(options: ZenkipayOptions = {}): Provider<ZenkipayEventMap, ZenkipayBaseEvent> {
  const key = "decryptionKey" in options ? readKey(options.decryptionKey) : undefined;
  return defineStandardProvider({
    name: "zenkipay",
    families: ["svix", "webhook"],
    event: {
      // What was retrieved or published is an event already.
      form: (payload, { request }) =>
        request ? { id: firstHeader(request.headers, ["svix-id", "webhook-id"]), ...eventOf(payload, key) } : payload,
      created: "timestamp",
      createdUnit: "ms",
      data: "order",
    },
  });
}

function readKey(text: unknown): KeyObject {
  // A variable that is not set must not come out when the first payment does.
  if (typeof text !== "string") throw new ConfigurationError("`decryptionKey` must be a string");
  try {
    return rsaKey(text, { kind: "private" });
  } catch (error) {
    const { message, cause } = error as ConfigurationError;
    throw new ConfigurationError(`\`decryptionKey\` ${message}`, { cause });
  }
}

function eventOf(payload: Fields, key: KeyObject | undefined): Fields {
  const { eventType, flatData, encryptedData } = payload;
  if (typeof flatData === "string" && flatData !== "") {
    if (eventType === undefined) throw new PayloadError("a plain payload has an `eventType`");
    const order = parsePayload(Buffer.from(flatData));
    if (!isRecord(order)) throw new PayloadError("the order in `flatData` is a JSON object");
    return { type: eventType, order };
  }
  if (encryptedData === undefined) throw new PayloadError("a payload has `flatData` or `encryptedData`");
  // Our fault, not the sender's: the delivery is to come again.
  if (!key) throw new ConfigurationError("an encrypted payload needs `zenkipay({ decryptionKey })`");
  const { eventDetails: order, timestamp } = decryptPayload(key, payload);
  if (!isRecord(order)) throw new PayloadError("the decrypted payload has no `eventDetails`");
  return { type: eventType ?? "order.paid", order, ...(timestamp === undefined ? {} : { timestamp }) };
}
