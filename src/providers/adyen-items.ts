import { ConfigurationError } from "../errors.ts";
import type { RejectionReason, SecretForm, SigningKey, SignOptions, Verification } from "./provider.ts";
import { ALGORITHMS } from "./schemes/algorithms.ts";
import { isRecord, parsePayload } from "./schemes/json.ts";
import { HEX } from "./schemes/key-forms.ts";
import { objectionToNothing, readSecret } from "./schemes/secret.ts";
import type { Scheme } from "./schemes/signature.ts";

/** One `NotificationRequestItem`. */
export type Item = Readonly<Record<string, unknown>>;

/** Adyen puts one item into a delivery, or a few. */
const MAX_ITEMS = 100;

const HMAC = ALGORITHMS["hmac-sha256"];

/** An HMAC key of the Customer Area is 32 bytes in hex. */
export function objection(secret: string): string | undefined {
  if (/^AQE/.test(secret)) return "holds an API key (AQE…): the HMAC key stands with the webhook, 64 hex digits";
  return /^[0-9a-f]{64}$/i.test(secret)
    ? undefined
    : "must be an HMAC key of 64 hex digits, from the webhook's settings";
}

const hmacKey: SecretForm = {
  scheme: "adyen-items",
  several: true,
  parse: HEX.verifying,
  objection: (secret) => objectionToNothing(secret, "64 hex digits") ?? objection(secret),
};

/**
 * The signature stands in each item, over eight of its fields. Every item must be signed, and all by the same key.
 *
 * @see https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures
 */
export const items: Scheme = {
  summary: {
    headers: [],
    algorithms: ["HMAC-SHA-256, base64"],
    content: "eight fields of each item, joined by :",
    secrets: [HEX.shape],
  },
  secrets: { signingSecrets: hmacKey },
  toleranceSeconds: 0,
  verify({ body }, { keys }): Verification {
    const found = itemsIn(body);
    if (!found) return rejected("malformed_header");
    const claims = found.map((item) => ({ signature: signatureOf(item), content: contentOf(item) }));
    if (claims.length === 0 || claims.some(({ signature }) => signature === undefined))
      return rejected("missing_header");
    if (claims.some(({ content }) => content === undefined)) return rejected("malformed_header");
    let matched: SigningKey | undefined;
    for (const key of keys) {
      const all = claims.every(({ signature = "", content = "" }) => {
        return HMAC.mayBe(signature, "base64") && HMAC.matches(key.key, [content], [signature], "base64");
      });
      if (all) matched ??= key;
    }
    return matched ? { verified: true, matchedSecret: matched.label } : rejected("bad_signature");
  },
  sign: () => ({}),
};

/** The payload, anew, with a genuine signature in each item. */
export function signBody(body: Uint8Array | string, { secret }: SignOptions): Buffer {
  const key = readSecret(HEX.verifying, secret);
  const payload = parsePayload(Buffer.from(body));
  const found = itemsOf(payload);
  if (!found) throw new ConfigurationError(`the body to sign has no \`notificationItems\`, or more than ${MAX_ITEMS}`);
  const signed = found.map((item) => {
    const content = contentOf(item);
    if (content === undefined) throw new ConfigurationError("the body to sign has an item that cannot be signed");
    const hmacSignature = HMAC.make(key, [content]).toString("base64");
    const additionalData = isRecord(item["additionalData"]) ? item["additionalData"] : {};
    return { NotificationRequestItem: { ...item, additionalData: { ...additionalData, hmacSignature } } };
  });
  return Buffer.from(JSON.stringify({ ...(payload as Item), notificationItems: signed }));
}

function itemsIn(body: Uint8Array): readonly Item[] | undefined {
  try {
    return itemsOf(parsePayload(body));
  } catch {
    return undefined; // What cannot be parsed cannot be signed.
  }
}

/** The items of a delivery; `undefined` for what is none, or has more of them than Adyen ever sends. */
export function itemsOf(payload: unknown): readonly Item[] | undefined {
  const wrappers = isRecord(payload) ? payload["notificationItems"] : undefined;
  if (!Array.isArray(wrappers) || wrappers.length > MAX_ITEMS) return undefined;
  const found = wrappers.map((wrapper: unknown) => isRecord(wrapper) && wrapper["NotificationRequestItem"]);
  return found.every(isRecord) ? found : undefined;
}

function signatureOf(item: Item): string | undefined {
  const data = item["additionalData"];
  const signature = isRecord(data) ? data["hmacSignature"] : undefined;
  return typeof signature === "string" && signature !== "" ? signature : undefined;
}

/**
 * The signed text of an item; `undefined` where one cannot be told.
 *
 * Adyen joins the fields without escaping them, so that `a:b` and an empty field could be read as `a` and `b`: a signature
 * would fit two items. Only the merchant's own reference may hold a colon, which leaves one reading.
 */
export function contentOf(item: Item): string | undefined {
  const amount = isRecord(item["amount"]) ? item["amount"] : {};
  const reference = textOf(item["merchantReference"]);
  const before = [item["pspReference"], item["originalReference"], item["merchantAccountCode"]].map(textOf);
  const after = [amount["value"], amount["currency"], item["eventCode"], item["success"]].map(textOf);
  if (reference === undefined || [...before, ...after].some((text) => text === undefined || text.includes(":")))
    return undefined;
  return [...before, reference, ...after].join(":");
}

/** A field as it is signed; `undefined` for what is no plain value. */
export function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return "";
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? `${value}` : undefined;
}

function rejected(reason: RejectionReason): Verification {
  return { verified: false, reason };
}
