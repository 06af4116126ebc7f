import { constants, type KeyObject, privateDecrypt } from "node:crypto";
import { PayloadError } from "../errors.ts";
import { decodeBase64 } from "./schemes/encoding.ts";
import { isRecord, parsePayload } from "./schemes/json.ts";

/** 31 kilobytes of text under an RSA key of 2048 bits: each block costs a private-key operation. */
const MAX_BLOCKS = 128;

/** 00 02 and at least eight bytes of padding before the 00 (RFC 8017, section 7.2.1). */
const MIN_SEPARATOR = 10;

/**
 * The JSON object in `encryptedData`: blocks of `keySize` bits, each RSAES-PKCS1-v1_5, whose texts are joined.
 *
 * Asked only for a payload whose signature was verified, and every failure is the same `PayloadError`, without a
 * cause: a stranger finds no oracle here, and the sender none in the answer. The padding is taken off by hand: Node 20
 * refuses to do it (CVE-2023-46809), and later ones give random bytes for a bad one.
 */
export function decryptPayload(key: KeyObject, payload: Readonly<Record<string, unknown>>): Record<string, unknown> {
  try {
    const text: unknown = parsePayload(decryptBlocks(key, payload["encryptedData"], payload["keySize"]));
    if (isRecord(text)) return text;
  } catch {
    // What was wrong is nobody's affair.
  }
  throw new PayloadError("the payload cannot be decrypted: is `decryptionKey` this merchant's private key?");
}

function decryptBlocks(key: KeyObject, encrypted: unknown, keySize: unknown): Buffer {
  const size = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
  const sealed = typeof encrypted === "string" ? decodeBase64(encrypted) : undefined;
  if (keySize !== size * 8 || !sealed || sealed.byteLength % size !== 0 || sealed.byteLength > size * MAX_BLOCKS) {
    throw new RangeError("not a run of blocks");
  }
  const texts: Buffer[] = [];
  for (let at = 0; at < sealed.byteLength; at += size) texts.push(decryptBlock(key, sealed.subarray(at, at + size)));
  // Joined before they are read: a character of several bytes may lie across two blocks.
  return Buffer.concat(texts);
}

function decryptBlock(key: KeyObject, sealed: Uint8Array): Buffer {
  const block = privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, sealed);
  const separator = block.indexOf(0, 2);
  if (block[0] !== 0 || block[1] !== 2 || separator < MIN_SEPARATOR) throw new RangeError("not PKCS #1 v1.5");
  return block.subarray(separator + 1);
}
