import { generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { expect } from "chai";
import { ConfigurationError } from "../../../src/errors.ts";
import {
  BASE64,
  ED25519_HEX,
  HEX,
  type KeyForm,
  RSA_PRIVATE,
  RSA_PUBLIC,
  SPKI_BASE64,
  UTF8,
  WHPK,
  WHSEC,
} from "../../../src/providers/schemes/key-forms.ts";
import { OTHER, oneLine, PRIVATE_PEM, PUBLIC_PEM } from "../keys.ts";

const BYTES = Buffer.from("ffee00112233445566778899aabbccdd0102030405060708", "hex");
const bytesOf = (key: KeyObject): string => key.export().toString("hex");

/** Whether what one key signs is verified by the other. */
function pair(form: KeyForm, verifying: string, signing: string, hash: string | null): boolean {
  const body = Buffer.from("body");
  const make = form.signing ?? form.verifying;
  return verify(hash, body, form.verifying(verifying), sign(hash, body, make(signing)));
}

function refuses(form: KeyForm, texts: readonly string[], message: string): void {
  for (const text of texts) {
    const thrown = expect(() => form.verifying(text), text).to.throw(ConfigurationError, message);
    if (text.length > 6) thrown.with.property("message").that.does.not.include(text);
  }
}

describe("key forms", () => {
  describe("UTF8", () => {
    it("takes text as it stands", () => {
      for (const text of ["s", " s ", "whsec_AAAA", "ü"]) {
        expect(bytesOf(UTF8.verifying(text))).to.equal(Buffer.from(text).toString("hex"));
      }
      refuses(UTF8, ["", " ", "\n\t"], "must not be empty");
    });
  });

  describe("HEX", () => {
    it("takes hex digits in either case", () => {
      expect(bytesOf(HEX.verifying("00ffAB"))).to.equal("00ffab");
      refuses(HEX, ["", "0", "a1b", "0g", "a1 ", "a1zz", " a1", "0x00", "whsec_00", "abcdefg1"], "must be hex digits");
    });
  });

  describe("BASE64", () => {
    it("takes base64, padded or not, and nothing else", () => {
      for (const bytes of [BYTES, BYTES.subarray(1), BYTES.subarray(2)]) {
        const text = bytes.toString("base64");
        for (const each of [text, text.replace(/=+$/, "")]) {
          expect(bytesOf(BASE64.verifying(each))).to.equal(bytes.toString("hex"));
        }
      }
      const urlSafe = Buffer.alloc(24, 0xff).toString("base64url");
      refuses(BASE64, ["", "=", "A", "AB", "A===", "AAAA\n", "AA AA", urlSafe], "must be base64 text");
    });
  });

  describe("WHSEC", () => {
    it("takes base64, with its prefix or without", () => {
      const text = BYTES.toString("base64");
      expect(bytesOf(WHSEC.verifying(text))).to.equal(BYTES.toString("hex"));
      expect(bytesOf(WHSEC.verifying(`whsec_${text}`))).to.equal(BYTES.toString("hex"));
      expect(bytesOf(WHSEC.verifying(`whsec_${text.replace(/=+$/, "")}`))).to.equal(BYTES.toString("hex"));
    });

    it("takes no key of zero bytes, which HMAC cannot tell from the empty one", () => {
      for (const length of [1, 3, 32, 64, 100]) {
        expect(() => WHSEC.verifying(`whsec_${Buffer.alloc(length).toString("base64")}`)).to.throw(ConfigurationError);
        expect(() => HEX.verifying("00".repeat(length))).to.throw(ConfigurationError);
      }
      expect(WHSEC.verifying("whsec_AAAB").symmetricKeySize).to.equal(3);
    });

    it("takes no empty key, no other prefix and no prefix twice", () => {
      const twice = `whsec_whsec_${BYTES.toString("base64")}`;
      refuses(
        WHSEC,
        ["", "whsec_", "whsec_=", "whpk_AAAA", "WHSEC_AAAA", "AAAAwhsec_AAAA", twice],
        "must be whsec_ and base64 text",
      );
    });
  });

  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const point = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  const seed = privateKey.export({ type: "pkcs8", format: "der" }).subarray(-32);

  describe("WHPK", () => {
    it("takes a raw Ed25519 public key, and signs with its seed, with the point behind it or not", () => {
      const whpk = `whpk_${point.toString("base64")}`;
      expect(pair(WHPK, whpk, `whsk_${seed.toString("base64")}`, null)).to.equal(true);
      expect(pair(WHPK, point.toString("base64"), Buffer.concat([seed, point]).toString("base64"), null)).to.equal(
        true,
      );
      expect(WHPK.verifying(whpk).type).to.equal("public");
    });

    it("takes 32 bytes, and signs with 32 or 64", () => {
      const odd = ["", "whpk_", `whpk_${Buffer.alloc(31).toString("base64")}`, Buffer.alloc(33).toString("base64")];
      refuses(WHPK, [...odd, `whsk_${seed.toString("base64")}`], "must be whpk_ and the base64 of 32 bytes");
      for (const text of ["", "whsk_", Buffer.alloc(33).toString("base64")]) {
        expect(() => WHPK.signing?.(text)).to.throw(ConfigurationError, "must be an ed25519 seed");
      }
    });
  });

  describe("ED25519_HEX", () => {
    it("takes a raw public key in hex of either case, and signs with the seed", () => {
      expect(pair(ED25519_HEX, point.toString("hex"), seed.toString("hex"), null)).to.equal(true);
      expect(pair(ED25519_HEX, point.toString("hex").toUpperCase(), seed.toString("hex").toUpperCase(), null)).to.equal(
        true,
      );
      const short = point.toString("hex").slice(1);
      refuses(ED25519_HEX, ["", short, `${short}g`, `${short}00`], "must be 64 hex digits, an ed25519 public key");
      expect(() => ED25519_HEX.signing?.(short)).to.throw(ConfigurationError, "must be an ed25519 seed");
    });
  });

  describe("SPKI_BASE64", () => {
    const ec = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const spki = ec.publicKey.export({ type: "spki", format: "der" }).toString("base64");
    const pem = ec.privateKey.export({ type: "pkcs8", format: "pem" }).toString();

    it("takes a public key without armour, and signs with a private one in PEM form", () => {
      expect(pair(SPKI_BASE64, spki, pem, "sha256")).to.equal(true);
    });

    it("takes nothing else", () => {
      refuses(SPKI_BASE64, ["", "AAAA", "SG.abcdefgh", pem, spki.slice(8)], "must be the base64 of a public key");
      const rsa = PUBLIC_PEM.replace(/-----[A-Z ]+-----|\n/g, "");
      refuses(SPKI_BASE64, [rsa], "must be an elliptic-curve key");
      expect(() => SPKI_BASE64.signing?.(spki)).to.throw(ConfigurationError, "must be a private key in PEM form");
    });
  });

  describe("RSA_PUBLIC and RSA_PRIVATE", () => {
    it("take PEM text, on one line or on many", () => {
      for (const [publicPem, privatePem] of [
        [PUBLIC_PEM, PRIVATE_PEM],
        [oneLine(PUBLIC_PEM), oneLine(PRIVATE_PEM)],
      ] as const) {
        expect(pair(RSA_PUBLIC, publicPem, privatePem, "sha256")).to.equal(true);
        expect(RSA_PRIVATE.verifying(privatePem).type).to.equal("private");
      }
      expect(pair(RSA_PUBLIC, OTHER.publicPem, PRIVATE_PEM, "sha256")).to.equal(false);
      expect(RSA_PRIVATE).not.to.have.property("signing");
    });

    it("say where a key of the other kind belongs", () => {
      refuses(RSA_PUBLIC, [PRIVATE_PEM], "a private key belongs in `privateSignature`");
      refuses(RSA_PRIVATE, [PUBLIC_PEM], "a public key belongs in `webhookKeys`");
    });
  });

  it("say what they look like", () => {
    const forms = { UTF8, HEX, BASE64, WHSEC, WHPK, ED25519_HEX, SPKI_BASE64, RSA_PUBLIC, RSA_PRIVATE };
    expect(Object.fromEntries(Object.entries(forms).map(([name, { shape }]) => [name, shape]))).to.deep.equal({
      UTF8: "text, as it stands",
      HEX: "hex digits",
      BASE64: "base64",
      WHSEC: "whsec_… (base64)",
      WHPK: "whpk_… (base64)",
      ED25519_HEX: "64 hex digits",
      SPKI_BASE64: "base64 (SPKI)",
      RSA_PUBLIC: "PEM public key",
      RSA_PRIVATE: "PEM private key",
    });
  });
});
