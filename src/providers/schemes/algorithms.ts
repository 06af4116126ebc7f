import {
  createHash,
  createHmac,
  type Hash,
  type Hmac,
  type KeyObject,
  sign,
  timingSafeEqual,
  verify,
} from "node:crypto";
import { decode, type Encoding, encode } from "./encoding.ts";
import { opensToDigest, sealDigest, signRsaSha256, verifyRsaSha256 } from "./rsa.ts";

/** The bytes that are signed, in pieces: fed one after the other where the algorithm can, so that no body is copied. */
export type Pieces = readonly (string | Uint8Array)[];

export interface Algorithm {
  /** What the provider table calls it. */
  readonly title: string;
  /** The length of every signature in bytes, where there is one length. */
  readonly signatureBytes?: number;
  /** Whether `text` may be a signature at all, so far as that is told without any work on the body. */
  mayBe(text: string, encoding: Encoding): boolean;
  /**
   * Whether one of `texts` is, in `encoding`, a signature over `pieces` by the other half of `key`. Tries all of them. Never
   * throws.
   */
  matches(key: KeyObject, pieces: Pieces, texts: readonly string[], encoding: Encoding): boolean;
  /** The inverse of `matches`. For a public-key algorithm, `key` is the private half. */
  make(key: KeyObject, pieces: Pieces): Buffer;
}

export type AlgorithmName =
  | "hmac-sha1"
  | "hmac-sha256"
  | "hmac-sha384"
  | "hmac-sha512"
  | "ed25519"
  | "ecdsa-sha256"
  | "rsa-sha256"
  | "rsa-sealed-sha256"
  | "prefixed-sha256";

export const ALGORITHMS: Readonly<Record<AlgorithmName, Algorithm>> = {
  "hmac-sha1": hmac("sha1", 20),
  "hmac-sha256": hmac("sha256", 32),
  "hmac-sha384": hmac("sha384", 48),
  "hmac-sha512": hmac("sha512", 64),
  ed25519: publicKey({
    title: "Ed25519",
    signatureBytes: 64,
    verify: (key, body, signature) => verify(null, body, key, signature),
    sign: (key, body) => sign(null, body, key),
  }),
  /** DER signatures; OpenSSL refuses any other text of the same two numbers than the canonical one. */
  "ecdsa-sha256": publicKey({
    title: "ECDSA with SHA-256",
    verify: (key, body, signature) => verify("sha256", body, key, signature),
    sign: (key, body) => sign("sha256", body, key),
  }),
  "rsa-sha256": publicKey({ title: "RSA with SHA-256 (PKCS #1 v1.5)", verify: verifyRsaSha256, sign: signRsaSha256 }),
  "rsa-sealed-sha256": publicKey({ title: "SHA-256, RSA-encrypted", verify: opensToDigest, sign: sealDigest }),
  /**
   * A digest of the secret and then the content. No HMAC: whoever has one signature can make that of the same content
   * with more behind it (length extension). What comes first there is padding, which leaves no JSON.
   */
  "prefixed-sha256": mac("SHA-256 of secret and content", 32, (key) => createHash("sha256").update(key.export())),
};

function hmac(hash: "sha1" | "sha256" | "sha384" | "sha512", signatureBytes: number): Algorithm {
  const title = `HMAC-${hash.toUpperCase().replace("SHA", "SHA-")}`;
  return mac(title, signatureBytes, (key) => createHmac(hash, key));
}

function mac(title: string, signatureBytes: number, begin: (key: KeyObject) => Hash | Hmac): Algorithm {
  const fed = (key: KeyObject, pieces: Pieces): Hash | Hmac => {
    const running = begin(key);
    // Texts that stand together go in together: a call costs more than they do.
    let text = "";
    for (const piece of pieces) {
      if (typeof piece === "string") text += piece;
      else {
        if (text !== "") running.update(text);
        text = "";
        running.update(piece);
      }
    }
    if (text !== "") running.update(text);
    return running;
  };
  const desks: Readonly<Record<Encoding, Desk>> = {
    hex: deskFor(signatureBytes, "hex"),
    base64: deskFor(signatureBytes, "base64"),
    base64url: deskFor(signatureBytes, "base64url"),
  };
  return {
    title,
    signatureBytes,
    mayBe: (text, encoding) => text.length === desks[encoding].ours.byteLength,
    matches(key, pieces, texts, encoding) {
      const { ours, theirs } = desks[encoding];
      ours.write(fed(key, pieces).digest(encoding));
      let matched = false;
      for (const text of texts) {
        // What is not ASCII takes more bytes than it has characters, none of which a signature has.
        if (text.length !== theirs.byteLength || theirs.write(text) !== theirs.byteLength) continue;
        if (timingSafeEqual(ours, theirs)) matched = true;
      }
      return matched;
    },
    make: (key, pieces) => fed(key, pieces).digest(),
  };
}

/**
 * Where two signatures are written to be compared: as texts, since to take the one apart that was sent costs more than to write
 * the other, and its bytes would have to be allocated. Used within one turn, and by nobody else meanwhile.
 */
interface Desk {
  readonly ours: Buffer;
  readonly theirs: Buffer;
}

function deskFor(signatureBytes: number, encoding: Encoding): Desk {
  const { length } = encode(Buffer.alloc(signatureBytes), encoding);
  return { ours: Buffer.alloc(length), theirs: Buffer.alloc(length) };
}

interface PublicKeyAlgorithm {
  readonly title: string;
  readonly signatureBytes?: number;
  verify(key: KeyObject, body: Uint8Array, signature: Uint8Array): boolean;
  sign(key: KeyObject, body: Uint8Array): Buffer;
}

function publicKey({ title, signatureBytes, ...algorithm }: PublicKeyAlgorithm): Algorithm {
  return {
    title,
    ...(signatureBytes === undefined ? {} : { signatureBytes }),
    mayBe: (text, encoding) => decode(text, encoding, signatureBytes) !== undefined,
    matches(key, pieces, texts, encoding) {
      const body = whole(pieces);
      let matched = false;
      for (const text of texts) {
        const signature = decode(text, encoding, signatureBytes);
        if (!signature) continue;
        try {
          if (algorithm.verify(key, body, signature)) matched = true;
        } catch {
          // A signature that OpenSSL cannot read is a wrong one.
        }
      }
      return matched;
    },
    make: (key, pieces) => algorithm.sign(key, whole(pieces)),
  };
}

function whole(pieces: Pieces): Uint8Array {
  const [first] = pieces;
  if (pieces.length === 1 && typeof first === "object") return first;
  return Buffer.concat(pieces.map((piece) => (typeof piece === "string" ? Buffer.from(piece) : piece)));
}
