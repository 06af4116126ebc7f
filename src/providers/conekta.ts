import { ConfigurationError, PayloadError } from "../errors.ts";
import type { ConektaBaseEvent, ConektaEventMap } from "./conekta-events.ts";
import { type ConektaOptions, conektaRetrieval } from "./conekta-retrieval.ts";
import { optionalBoolean, optionalDate, optionalType, requireId, requireRecord } from "./payload.ts";
import type { Envelope, Provider, SecretForm, SigningKey, SignOptions, Verification } from "./provider.ts";
import { decodeBase64 } from "./schemes/encoding.ts";
import { headerValue } from "./schemes/header.ts";
import { opensToDigest, sealDigest, signRsaSha256, verifyRsaSha256 } from "./schemes/rsa.ts";
import { readSecret, rsaKey } from "./schemes/secret.ts";

export type { ConektaOptions };

const HEADER = "digest";

/** Today's scheme: Conekta signs, and `webhookKeys` are the public halves. */
const webhookKeys: SecretForm = {
  scheme: "digest-rsa-sha256",
  several: true,
  parse: (text) => rsaKey(text, { kind: "public", other: "privateSignature" }),
};

/** The scheme of the Ruby gem: Conekta encrypts the body's digest, and we hold the private key. */
const privateSignature: SecretForm = {
  scheme: "legacy-rsa-private-decrypt",
  several: false,
  parse: (text) => rsaKey(text, { kind: "private", other: "webhookKeys" }),
};

/**
 * Conekta: an RSA signature or an RSA-encrypted digest of the raw body, in base64, in the header `Digest`.
 *
 * Which of the two it is goes by the setting that the key came from, never by trial. Neither has a timestamp, so a
 * captured delivery stays good for ever: the event's id is what makes it a duplicate.
 *
 * Throws `ConfigurationError` for an `apiBase` that is not an http or https URL.
 *
 * @see https://developers.conekta.com/docs/autenticacion-webhooks
 */
export function conekta(options: ConektaOptions = {}): Provider<ConektaEventMap, ConektaBaseEvent> {
  return {
    name: "conekta",
    namespace: "conekta_event",
    delimiter: ".",
    methods: ["POST"],
    secrets: { webhookKeys, privateSignature },
    toleranceSeconds: 0,
    retrieval: conektaRetrieval(options),
    verify(request, { keys }): Verification {
      const header = headerValue(request.headers, HEADER)?.trim();
      if (!header) return { verified: false, reason: "missing_header" };
      const signature = decodeBase64(header);
      if (!signature) return { verified: false, reason: "bad_signature" };
      let matched: SigningKey | undefined;
      for (const key of keys) {
        if (isGenuine(key, request.body, signature)) matched ??= key;
      }
      return matched ? { verified: true, matchedSecret: matched.label } : { verified: false, reason: "bad_signature" };
    },
    read,
    sign,
  };
}

function isGenuine({ scheme, key }: SigningKey, body: Uint8Array, signature: Uint8Array): boolean {
  if (scheme === webhookKeys.scheme) return verifyRsaSha256(key, body, signature);
  if (scheme === privateSignature.scheme) return opensToDigest(key, body, signature);
  return false;
}

/** @see https://developers.conekta.com/reference/getevent */
function read(payload: unknown): Envelope {
  const event = requireRecord(payload, "Conekta");
  // A body that holds nothing but an id, to be fetched back, need not say what it is.
  if (event["object"] !== undefined && event["object"] !== "event") {
    throw new PayloadError('a Conekta event\'s `object` is "event"');
  }
  const id = requireId(event, "Conekta");
  return {
    id,
    type: optionalType(event),
    key: id,
    livemode: optionalBoolean(event["livemode"]),
    created: optionalDate(event["created_at"]),
    // Not the whole event: `webhook_status` and `webhook_logs` change from delivery to delivery.
    data: event["data"],
    event,
  };
}

/** Signs for `webhookKeys` unless told otherwise. Either way `secret` is the private key. */
function sign(body: Uint8Array | string, { secret, setting = "webhookKeys" }: SignOptions): Record<string, string> {
  const bytes = Buffer.from(body);
  const make = { webhookKeys: signRsaSha256, privateSignature: sealDigest, signingSecrets: undefined }[setting];
  if (!make) throw new ConfigurationError(`Conekta signs nothing with \`${setting}\``);
  const key = readSecret((text) => rsaKey(text, { kind: "private" }), secret);
  return { [HEADER]: make(key, bytes).toString("base64") };
}
