import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject } from "node:crypto";
import { ConfigurationError } from "../../errors.ts";
import type { SecretSetting } from "../provider.ts";

/**
 * A secret that is used as it stands, as UTF-8, without decoding or trimming.
 *
 * Throws `ConfigurationError` for an empty or blank one: an HMAC under an empty key can be forged by anybody. As with
 * every key form here, the message is a phrase that follows the setting's name.
 */
export function utf8Key(secret: string): KeyObject {
  // NUL is as good as nothing: HMAC fills short keys up with it (RFC 2104, section 2).
  if (secret.replaceAll("\0", "").trim() === "") throw new ConfigurationError("must not be empty");
  return createSecretKey(secret, "utf8");
}

/** What an unset variable becomes on its way through templates, JSON and arithmetic: anybody would guess it first. */
const NOTHING = /^(?:undefined|null|nan|\[object object\])$/i;

/** What is wrong with a text that stands for nothing: a phrase that follows the setting's name, and tells the shape. */
export function objectionToNothing(text: string, shape: string): string | undefined {
  if (!NOTHING.test(text)) return undefined;
  return `holds the text "${text}", as a variable that was not set leaves it: it takes ${shape}`;
}

/** What an RSA key is for, so that a refusal can say where the text belongs. */
export interface RsaKeyUse {
  readonly kind: "public" | "private";
  /** The setting that takes the other kind of key, if there is one. */
  readonly other?: SecretSetting | undefined;
}

/**
 * An RSA key from PEM text. Line ends written as the two characters `\n` are accepted: that is how a key comes out
 * of JSON and how it is kept in environment variables.
 *
 * Throws `ConfigurationError`, which says what shape is expected and never repeats the text.
 */
export function rsaKey(text: string, use: RsaKeyUse): KeyObject {
  const pem = text.replaceAll("\\r", "").replaceAll("\\n", "\n").trim();
  // Asked first: Node would silently derive the public key from a private one.
  const found = /-----BEGIN [A-Z ]*\bPRIVATE KEY-----/.test(pem) ? "private" : "public";
  if (found !== use.kind && pem.includes("KEY-----")) throw new ConfigurationError(wrongKind(found, use));
  const key = readPem(pem, use);
  if (key.asymmetricKeyType !== "rsa") throw new ConfigurationError(expected(use));
  return key;
}

function readPem(pem: string, use: RsaKeyUse): KeyObject {
  try {
    return use.kind === "private" ? createPrivateKey(pem) : createPublicKey(pem);
  } catch (cause) {
    throw new ConfigurationError(expected(use), { cause });
  }
}

function expected({ kind }: RsaKeyUse): string {
  const label = `${kind.toUpperCase()} KEY`;
  return `must be an RSA ${kind} key in PEM form: -----BEGIN ${label}----- … -----END ${label}-----`;
}

function wrongKind(found: string, use: RsaKeyUse): string {
  const hint = use.other === undefined ? "" : `; a ${found} key belongs in \`${use.other}\``;
  return `holds a ${found} key and takes an RSA ${use.kind} key in PEM form${hint}`;
}

/** Reads the secret that `sign` was given: what is wrong with it is said of `secret`. */
export function readSecret(parse: (text: string) => KeyObject, secret: string): KeyObject {
  if (typeof secret !== "string") throw new ConfigurationError("`secret` must be a string");
  try {
    return parse(secret);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new ConfigurationError(`\`secret\` ${error.message}`, { cause: error.cause });
  }
}
