import {
  constants,
  createHash,
  createPublicKey,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";

/** A hex SHA-256, which is all that the legacy digest ever holds. */
const MESSAGE_BYTES = 64;

/** 00 02, at least eight bytes of padding, 00 (RFC 8017, section 7.2.1). */
const OVERHEAD_BYTES = 11;

/**
 * Whether `signature` is the RSASSA-PKCS1-v1_5 signature with SHA-256 over `body` (RFC 8017, section 8.2.2): as long
 * as the modulus, and made by the private half of `key`. Never throws.
 */
export function verifyRsaSha256(key: KeyObject, body: Uint8Array, signature: Uint8Array): boolean {
  if (signature.byteLength !== modulusBytes(key)) return false;
  try {
    return verify("sha256", body, { key, padding: constants.RSA_PKCS1_PADDING }, signature);
  } catch {
    return false;
  }
}

/** The inverse of `verifyRsaSha256`. */
export function signRsaSha256(privateKey: KeyObject, body: Uint8Array): Buffer {
  return sign("sha256", body, { key: privateKey, padding: constants.RSA_PKCS1_PADDING });
}

/**
 * Whether `sealed` decrypts, as RSAES-PKCS1-v1_5, to the lower-case hex SHA-256 of `body`.
 *
 * One bit comes out, in a time that does not depend on the plaintext, so that nobody learns whether the padding or the
 * digest was wrong (Bleichenbacher's oracle). The padding is taken off by hand: Node 20 refuses to do it
 * (CVE-2023-46809), and later ones give random bytes for a bad one. Never throws.
 */
export function opensToDigest(privateKey: KeyObject, body: Uint8Array, sealed: Uint8Array): boolean {
  const size = modulusBytes(privateKey);
  if (sealed.byteLength !== size || size < MESSAGE_BYTES + OVERHEAD_BYTES) return false;
  let block: Buffer;
  try {
    block = privateDecrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, sealed);
  } catch {
    return false; // The number is not below the modulus: a matter of the ciphertext alone.
  }
  // The message has a known length, so every byte of the block has a known place: nothing is searched for.
  const separator = size - MESSAGE_BYTES - 1;
  let wrong = byteAt(block, 0) | (byteAt(block, 1) ^ 2) | byteAt(block, separator);
  for (let index = 2; index < separator; index++) wrong |= isZero(byteAt(block, index));
  const same = timingSafeEqual(block.subarray(separator + 1), hexDigest(body));
  return wrong === 0 && same;
}

/** The inverse of `opensToDigest`, with the public half of the key. */
export function sealDigest(privateKey: KeyObject, body: Uint8Array): Buffer {
  const key = createPublicKey(privateKey);
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, hexDigest(body));
}

function hexDigest(body: Uint8Array): Buffer {
  return Buffer.from(createHash("sha256").update(body).digest("hex"), "latin1");
}

function modulusBytes(key: KeyObject): number {
  return Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] as number;
}

/** 1 for zero and 0 for any other byte, without a branch. */
function isZero(byte: number): number {
  return (byte - 1) >>> 31;
}
