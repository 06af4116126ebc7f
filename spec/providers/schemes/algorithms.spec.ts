import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from "node:crypto";
import { expect } from "chai";
import { ALGORITHMS, type AlgorithmName, type Pieces } from "../../../src/providers/schemes/algorithms.ts";
import { type Encoding, encode } from "../../../src/providers/schemes/encoding.ts";
import { rsaPair } from "../keys.ts";

const BINARY = Buffer.from([0xef, 0xbb, 0xbf, 0xff, 0]);
const PIECES: Pieces = ["é1.", BINARY];
const WHOLE = Buffer.concat([Buffer.from("é1."), BINARY]);
const base64 = (bytes: Uint8Array): string => encode(bytes, "base64");
const secret = (text: string): KeyObject => createSecretKey(text, "utf8");

const rsa = (() => {
  const { privatePem, publicPem } = rsaPair(1024);
  return { privateKey: createPrivateKey(privatePem), publicKey: createPublicKey(publicPem) };
})();

describe("ALGORITHMS", () => {
  for (const hash of ["sha1", "sha256", "sha384", "sha512"] as const) {
    describe(`hmac-${hash}`, () => {
      const algorithm = ALGORITHMS[`hmac-${hash}`];
      const digest = createHmac(hash, "s").update(WHOLE).digest();
      const texts = (...candidates: Uint8Array[]) => candidates.map((each) => encode(each, "hex"));
      const matches = (...candidates: Uint8Array[]) =>
        algorithm.matches(secret("s"), PIECES, texts(...candidates), "hex");

      it("is taken over the pieces as raw bytes, one after the other", () => {
        expect(algorithm.make(secret("s"), PIECES)).to.deep.equal(digest);
        expect(algorithm.make(secret("s"), [WHOLE])).to.deep.equal(digest);
        expect(algorithm.signatureBytes).to.equal(digest.byteLength);
        expect(algorithm.title).to.equal(`HMAC-SHA-${hash.slice(3)}`);
      });

      it("finds the candidate that matches, in any place", () => {
        const [wrong, short] = [Buffer.alloc(digest.byteLength), digest.subarray(1)];
        expect(matches(digest)).to.equal(true);
        expect(matches(digest, wrong, short)).to.equal(true);
        expect(matches(wrong, short, digest)).to.equal(true);
        expect(matches(wrong, short, Buffer.alloc(0))).to.equal(false);
        expect(matches()).to.equal(false);
        expect(algorithm.matches(secret("t"), PIECES, texts(digest), "hex")).to.equal(false);
        expect(algorithm.matches(secret("s"), [WHOLE, "x"], texts(digest), "hex")).to.equal(false);
      });
    });
  }

  it("compares the texts of digests: the canonical one alone matches, in each encoding", () => {
    const { matches } = ALGORITHMS["hmac-sha256"];
    const digest = createHmac("sha256", "s").update(WHOLE).digest();
    for (const encoding of ["hex", "base64", "base64url"] satisfies Encoding[]) {
      const text = encode(digest, encoding);
      const match = (...texts: string[]) => matches(secret("s"), PIECES, texts, encoding);
      expect(match(text), encoding).to.equal(true);
      const upper = text.toUpperCase();
      const odd = ["", text.slice(1), `${text}=`, ` ${text}`, upper, text.slice(0, -1), "\0".repeat(text.length)];
      // As many characters as a signature has, and more bytes; or one whose lower byte is that of the signature's own.
      const wide = [`${text.slice(0, -1)}é`, `é${text.slice(1)}`, `${text.slice(0, -2)}é`, "é".repeat(text.length)];
      const alike = [...text].map((char) => String.fromCharCode(0x100 + char.charCodeAt(0))).join("");
      for (const each of [...odd, ...wide, alike, `${text.slice(0, -1)}${alike.slice(-1)}`]) {
        // After the right one, so that what it left must not count.
        expect(match(each), each).to.equal(false);
        expect(match(text, each), each).to.equal(true);
        expect(match(each, text), each).to.equal(true);
        expect(match(each), each).to.equal(false);
      }
    }
  });

  const ed = generateKeyPairSync("ed25519");
  const ec = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const publicKeys: [AlgorithmName, verifying: KeyObject, signing: KeyObject, title: string][] = [
    ["ed25519", ed.publicKey, ed.privateKey, "Ed25519"],
    ["ecdsa-sha256", ec.publicKey, ec.privateKey, "ECDSA with SHA-256"],
    ["rsa-sha256", rsa.publicKey, rsa.privateKey, "RSA with SHA-256 (PKCS #1 v1.5)"],
    ["rsa-sealed-sha256", rsa.privateKey, rsa.privateKey, "SHA-256, RSA-encrypted"],
  ];
  for (const [name, verifying, signing, title] of publicKeys) {
    describe(name, () => {
      const algorithm = ALGORITHMS[name];
      const signature = algorithm.make(signing, PIECES);
      const verifies = (pieces: Pieces, ...candidates: Uint8Array[]) =>
        algorithm.matches(verifying, pieces, candidates.map(base64), "base64");
      const matches = (...candidates: Uint8Array[]) => verifies(PIECES, ...candidates);

      it("verifies what it makes, in pieces or whole, in any place", () => {
        expect(algorithm.title).to.equal(title);
        expect(matches(signature)).to.equal(true);
        expect(verifies([WHOLE], signature)).to.equal(true);
        expect(verifies([WHOLE.toString("latin1")], signature)).to.equal(false);
        expect(matches(Buffer.alloc(3), signature)).to.equal(true);
        expect(matches(signature, Buffer.alloc(3))).to.equal(true);
      });

      it("refuses another body, another signature, and none", () => {
        expect(verifies([...PIECES, "x"], signature)).to.equal(false);
        const flipped = Buffer.from(signature);
        flipped.writeUInt8(flipped.readUInt8(signature.byteLength - 1) ^ 1, signature.byteLength - 1);
        expect(matches(flipped)).to.equal(false);
        expect(matches()).to.equal(false);
      });

      it("never throws, whatever the bytes", () => {
        const long = Buffer.concat([signature, Buffer.alloc(1)]);
        for (const odd of [Buffer.alloc(0), Buffer.alloc(64, 0xff), Buffer.alloc(5000), signature.subarray(1), long]) {
          expect(matches(odd)).to.equal(false);
        }
        expect(algorithm.matches(secret("not such a key"), PIECES, [base64(signature)], "base64")).to.equal(false);
      });
    });
  }

  it("knows the length of an Ed25519 signature alone among public keys", () => {
    expect(publicKeys.map(([name]) => ALGORITHMS[name].signatureBytes)).to.deep.equal([
      64,
      ...Array(3).fill(undefined),
    ]);
  });

  it("takes the DER text of an ECDSA signature alone, and only the canonical one", () => {
    const der = sign("sha256", WHOLE, ec.privateKey);
    const raw = sign("sha256", WHOLE, { key: ec.privateKey, dsaEncoding: "ieee-p1363" });
    const { matches } = ALGORITHMS["ecdsa-sha256"];
    expect(matches(ec.publicKey, PIECES, [base64(der)], "base64")).to.equal(true);
    expect(matches(ec.publicKey, PIECES, [base64(raw)], "base64")).to.equal(false);
    // The same numbers, the outer length in the long form.
    const longForm = Buffer.concat([Buffer.from([0x30, 0x81, der.byteLength - 2]), der.subarray(2)]);
    expect(matches(ec.publicKey, PIECES, [base64(longForm)], "base64")).to.equal(false);
  });
});
