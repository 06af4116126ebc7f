import { isUtf8 } from "node:buffer";
import { createHash, createSecretKey, type KeyObject } from "node:crypto";
import { ConfigurationError } from "../errors.ts";
import type {
  ProviderResponse,
  RejectionReason,
  SecretForm,
  SigningKey,
  SignOptions,
  Verification,
  WebhookRequest,
} from "./provider.ts";
import { ALGORITHMS } from "./schemes/algorithms.ts";
import { decodeBase64 } from "./schemes/encoding.ts";
import { hasMoreFields } from "./schemes/form.ts";
import { objectionToNothing, readSecret } from "./schemes/secret.ts";
import type { Scheme } from "./schemes/signature.ts";

const HMAC = ALGORITHMS["hmac-sha1"];

/** Braintree's form has two. */
const MAX_FIELDS = 100;

/** Dozens of key pairs. */
const MAX_SIGNATURE_LENGTH = 4096;

const SHAPE = "publicKey:privateKey";

const keyPair: SecretForm = {
  scheme: "braintree",
  several: true,
  objection: (text) =>
    objectionToNothing(text, SHAPE) ??
    (text.includes("://") ? `holds a URL: it must be ${SHAPE}, the two keys of the API` : undefined),
  // One KeyObject holds the whole pair: the public key is what finds our signature among those of other keys.
  parse(text) {
    if (/^[^\s:|&]+:[^\s:|&]+$/.test(text)) return createSecretKey(text, "utf8");
    throw new ConfigurationError(`must be the API's public and private key, joined by a colon: ${SHAPE}`);
  },
};

/** @see https://developer.paypal.com/braintree/docs/guides/webhooks/parse */
export const scheme: Scheme = {
  summary: {
    headers: [],
    algorithms: ["HMAC-SHA-1, hex"],
    content: "the form's bt_payload",
    secrets: [SHAPE],
  },
  secrets: { signingSecrets: keyPair },
  toleranceSeconds: 0,
  verify(request, { keys }): Verification {
    if (hasMoreFields(request.body, MAX_FIELDS)) return rejected("malformed_header");
    const { signature, payload } = formOf(request);
    if (signature === undefined || payload === undefined) return rejected("missing_header");
    if (typeof signature !== "string" || signature.length > MAX_SIGNATURE_LENGTH) return rejected("malformed_header");
    if (typeof payload !== "string" || !bytesOf(payload)) return rejected("malformed_header");
    const pairs = signature.split("&").map((pair) => pair.split("|"));
    let reason: RejectionReason = "no_expected_scheme";
    let matched: SigningKey | undefined;
    for (const key of keys) {
      const { publicKey, mac } = halvesOf(key.key);
      const ours = pairs.filter(([name, , more]) => name === publicKey && more === undefined);
      if (ours.length > 0) reason = "bad_signature";
      const candidates = ours.map(([, text = ""]) => text).filter((text) => HMAC.mayBe(text, "hex"));
      if (candidates.length === 0) continue;
      // Braintree's libraries take the payload with a line break behind it, too: forms lose the last one on their way.
      const fits = [[payload], [payload, "\n"]].map((pieces) => HMAC.matches(mac, pieces, candidates, "hex"));
      if (fits.includes(true)) matched ??= key;
    }
    return matched ? { verified: true, matchedSecret: matched.label } : rejected(reason);
  },
  sign: () => ({}),
};

/**
 * Proves to the control panel that we have the private key. Only what is a challenge is signed: with the same key
 * Braintree signs payloads, and 20 to 32 hex digits are none.
 */
export function answer({ method, url }: WebhookRequest, [key]: readonly SigningKey[]): ProviderResponse | undefined {
  if (method !== "GET" || !key) return undefined;
  const challenges = new URLSearchParams(url.split("?")[1] ?? "").getAll("bt_challenge");
  const [challenge = ""] = challenges;
  if (challenges.length !== 1 || !/^[a-f0-9]{20,32}$/.test(challenge)) return undefined;
  const { publicKey, mac } = halvesOf(key.key);
  const body = `${publicKey}|${HMAC.make(mac, [challenge]).toString("hex")}`;
  return { status: 200, headers: { "content-type": "text/plain" }, body };
}

/** The form that makes `xml` a genuine delivery. */
export function signBody(xml: Uint8Array | string, { secret }: SignOptions): Buffer {
  const { publicKey, mac } = halvesOf(readSecret(keyPair.parse, secret));
  const payload = Buffer.from(xml).toString("base64").replace(/.{60}/g, "$&\n").concat("\n");
  const signature = `${publicKey}|${HMAC.make(mac, [payload]).toString("hex")}`;
  return Buffer.from(new URLSearchParams({ bt_signature: signature, bt_payload: payload }).toString());
}

/** The two fields: `undefined` where one is missing, `null` where it is repeated. */
export function formOf({ body }: WebhookRequest): Record<"signature" | "payload", string | null | undefined> {
  const fields = new URLSearchParams(isUtf8(body) ? Buffer.from(body).toString("utf8") : "");
  return { signature: only(fields.getAll("bt_signature")), payload: only(fields.getAll("bt_payload")) };
}

/** The one value of a field; `null` where it is repeated, since which of them was signed? */
function only(values: readonly string[]): string | null | undefined {
  return values.length > 1 ? null : values[0];
}

/** The bytes of base64 that may have line breaks. */
export function bytesOf(payload: string): Buffer | undefined {
  return decodeBase64(payload.replaceAll("\n", ""));
}

function halvesOf(pair: KeyObject): { readonly publicKey: string; readonly mac: KeyObject } {
  const [publicKey = "", privateKey = ""] = pair.export().toString("utf8").split(":");
  return { publicKey, mac: createSecretKey(createHash("sha1").update(privateKey).digest()) };
}

function rejected(reason: RejectionReason): Verification {
  return { verified: false, reason };
}
