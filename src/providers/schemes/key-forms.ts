import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from "node:crypto";
import { ConfigurationError } from "../../errors.ts";
import { decodeBase64, decodeHex } from "./encoding.ts";
import { rsaKey, utf8Key } from "./secret.ts";

/**
 * How the text of a secret becomes a key. Every form throws `ConfigurationError` for a text that cannot be one, with a
 * phrase that follows the setting's name, says what shape is expected, and never repeats the text.
 */
export interface KeyForm {
  /** For the provider table: what the user pastes. */
  readonly shape: string;
  /** The key that verifies. */
  verifying(text: string): KeyObject;
  /** What is wrong with a text that could be used and is surely a mistake; see `SecretForm`. */
  objection?(text: string): string | undefined;
  /** The key that signs: the private half of a public key; default: `verifying`. */
  signing?(text: string): KeyObject;
}

/** Used as it stands, as UTF-8. */
export const UTF8: KeyForm = { shape: "text, as it stands", verifying: utf8Key };

/** Hex digits, upper or lower case. */
export const HEX: KeyForm = {
  shape: "hex digits",
  verifying: (text) => bytesKey(/^(?:[0-9a-f]{2})+$/i.test(text) ? Buffer.from(text, "hex") : undefined, "hex digits"),
};

/** Base64, padded or not: Standard Webhooks secrets come both ways. */
export const BASE64: KeyForm = { shape: "base64", verifying: (text) => bytesKey(fromBase64(text), "base64 text") };

/** Standard Webhooks wants 24 to 64 bytes; below this, a secret is one that somebody made up. */
const MIN_WHSEC_BYTES = 16;

/** `whsec_` and base64, the prefix being optional (Standard Webhooks 1.0.0). */
export const WHSEC: KeyForm = {
  shape: "whsec_… (base64)",
  verifying: (text) => bytesKey(whsecBytes(text), "whsec_ and base64 text"),
  objection(text) {
    const length = whsecBytes(text)?.byteLength ?? 0;
    if (length === 0 || length >= MIN_WHSEC_BYTES) return undefined;
    return "is too short to be a secret: it must be whsec_ and the base64 of 24 to 64 bytes";
  },
};

/** `whpk_` and the base64 of a raw ed25519 public key; signs with `whsk_` and seed and public key. */
export const WHPK: KeyForm = {
  shape: "whpk_… (base64)",
  verifying: (text) => ed25519Public(fromBase64(text.replace(/^whpk_/, "")), "whpk_ and the base64 of 32 bytes"),
  signing: (text) => ed25519Private(fromBase64(text.replace(/^whsk_/, ""))),
};

/** A raw ed25519 public key in hex; signs with its 32-byte seed in hex. */
export const ED25519_HEX: KeyForm = {
  shape: "64 hex digits",
  verifying: (text) => ed25519Public(decodeHex(text.toLowerCase(), 32), "64 hex digits, an ed25519 public key"),
  signing: (text) => ed25519Private(decodeHex(text.toLowerCase(), 32)),
};

/** The base64 of a DER public key, without PEM armour; signs with a PEM private key. */
export const SPKI_BASE64: KeyForm = {
  shape: "base64 (SPKI)",
  verifying: (text) => read("the base64 of a public key", () => fromSpki(text)),
  signing: (text) => read("a private key in PEM form", () => createPrivateKey(text)),
};

/** A PEM RSA public key; signs with its private half. */
export const RSA_PUBLIC: KeyForm = {
  shape: "PEM public key",
  verifying: (text) => rsaKey(text, { kind: "public", other: "privateSignature" }),
  signing: (text) => rsaKey(text, { kind: "private" }),
};

/** A PEM RSA private key, which verifies by decrypting and signs by encrypting. */
export const RSA_PRIVATE: KeyForm = {
  shape: "PEM private key",
  verifying: (text) => rsaKey(text, { kind: "private", other: "webhookKeys" }),
};

function bytesKey(bytes: Uint8Array | undefined, expected: string): KeyObject {
  // An HMAC under an empty key can be forged by anybody. `whsec_` alone is such a key, and so is every key of zero bytes,
  // since HMAC fills short keys up with those (RFC 2104, section 2).
  if (bytes === undefined || bytes.every((byte) => byte === 0)) throw new ConfigurationError(`must be ${expected}`);
  return createSecretKey(bytes);
}

function fromBase64(text: string): Buffer | undefined {
  const unpadded = text.replace(/={1,2}$/, "");
  return decodeBase64(unpadded + "=".repeat((4 - (unpadded.length % 4)) % 4));
}

function whsecBytes(text: string): Buffer | undefined {
  return fromBase64(text.replace(/^whsec_/, ""));
}

function fromSpki(text: string): KeyObject {
  const key = createPublicKey({ key: Buffer.from(text, "base64"), format: "der", type: "spki" });
  if (key.asymmetricKeyType !== "ec") throw new ConfigurationError("must be an elliptic-curve key");
  return key;
}

/** The DER heads of raw ed25519 keys (RFC 8410). */
const ED25519_SPKI = Buffer.from("302a300506032b6570032100", "hex");
const ED25519_PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

function ed25519Public(bytes: Uint8Array | undefined, expected: string): KeyObject {
  if (bytes?.byteLength !== 32) throw new ConfigurationError(`must be ${expected}`);
  return createPublicKey({ key: Buffer.concat([ED25519_SPKI, bytes]), format: "der", type: "spki" });
}

function ed25519Private(bytes: Uint8Array | undefined): KeyObject {
  if (bytes?.byteLength !== 32 && bytes?.byteLength !== 64) throw new ConfigurationError("must be an ed25519 seed");
  const key = Buffer.concat([ED25519_PKCS8, bytes.subarray(0, 32)]);
  return createPrivateKey({ key, format: "der", type: "pkcs8" });
}

function read(expected: string, make: () => KeyObject): KeyObject {
  try {
    return make();
  } catch (cause) {
    if (cause instanceof ConfigurationError) throw cause;
    throw new ConfigurationError(`must be ${expected}`, { cause });
  }
}
