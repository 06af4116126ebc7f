import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { expect } from "chai";
import { ConfigurationError } from "../../../src/errors.ts";
import { readSecret, rsaKey, utf8Key } from "../../../src/providers/schemes/secret.ts";
import { OTHER, oneLine, PRIVATE_PEM, PUBLIC_PEM } from "../keys.ts";

const EXPECT_PUBLIC = "must be an RSA public key in PEM form: -----BEGIN PUBLIC KEY----- … -----END PUBLIC KEY-----";
const EXPECT_PRIVATE =
  "must be an RSA private key in PEM form: -----BEGIN PRIVATE KEY----- … -----END PRIVATE KEY-----";

function refusal(run: () => unknown): ConfigurationError {
  try {
    run();
  } catch (error) {
    if (error instanceof ConfigurationError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("utf8Key", () => {
  it("keeps the secret as it stands", () => {
    expect(utf8Key("whsec_ü\n").export()).to.deep.equal(Buffer.from("whsec_ü\n"));
    expect(utf8Key("whsec_").type).to.equal("secret");
  });

  it("refuses an empty or blank secret", () => {
    for (const blank of ["", " ", "\n\t", "\0", "\0\0 "])
      expect(refusal(() => utf8Key(blank)).message).to.equal("must not be empty");
  });
});

describe("rsaKey", () => {
  const asPublic = (text: string) => rsaKey(text, { kind: "public", other: "privateSignature" });
  const asPrivate = (text: string) => rsaKey(text, { kind: "private", other: "webhookKeys" });

  it("reads public and private keys, in SPKI, PKCS#1 and PKCS#8", () => {
    const pkcs1 = createPublicKey(PUBLIC_PEM).export({ type: "pkcs1", format: "pem" }).toString();
    for (const text of [PUBLIC_PEM, pkcs1]) expect(asPublic(text).type).to.equal("public");
    for (const text of [PRIVATE_PEM, OTHER.privatePem]) expect(asPrivate(text).type).to.equal("private");
  });

  it("accepts line ends that are written out, and white space around the text", () => {
    const crlf = PUBLIC_PEM.trim().replaceAll("\n", "\\r\\n");
    for (const text of [oneLine(PUBLIC_PEM), crlf, `\n ${PUBLIC_PEM} `]) {
      expect(asPublic(text).equals(createPublicKey(PUBLIC_PEM))).to.equal(true);
    }
    expect(asPrivate(oneLine(PRIVATE_PEM)).type).to.equal("private");
  });

  it("refuses a private key as a public one, and says where it belongs", () => {
    for (const text of [PRIVATE_PEM, OTHER.privatePem, oneLine(PRIVATE_PEM)]) {
      expect(refusal(() => asPublic(text)).message).to.equal(
        "holds a private key and takes an RSA public key in PEM form; a private key belongs in `privateSignature`",
      );
    }
  });

  it("refuses a public key as a private one, and says where it belongs", () => {
    expect(refusal(() => asPrivate(PUBLIC_PEM)).message).to.equal(
      "holds a public key and takes an RSA private key in PEM form; a public key belongs in `webhookKeys`",
    );
    expect(refusal(() => rsaKey(PUBLIC_PEM, { kind: "private" })).message).to.equal(
      "holds a public key and takes an RSA private key in PEM form",
    );
  });

  it("refuses what is no key, and says what one looks like", () => {
    for (const text of ["", "whsec_secret", "-----BEGIN PUBLIC KEY-----\nsecret\n-----END PUBLIC KEY-----"]) {
      const error = refusal(() => asPublic(text));
      expect(error.message).to.equal(EXPECT_PUBLIC);
      expect(error.cause).to.be.instanceOf(Error);
    }
    const broken = PRIVATE_PEM.replace("MII", "XII");
    for (const text of ["", "key_secret", broken]) {
      expect(refusal(() => asPrivate(text)).message).to.equal(EXPECT_PRIVATE);
    }
  });

  it("refuses keys of other algorithms", () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const publicText = publicKey.export({ type: "spki", format: "pem" }).toString();
    const privateText = privateKey.export({ type: "sec1", format: "pem" }).toString();
    expect(refusal(() => asPublic(publicText)).message).to.equal(EXPECT_PUBLIC);
    expect(refusal(() => asPrivate(privateText)).message).to.equal(EXPECT_PRIVATE);
    expect(refusal(() => asPublic(privateText)).message).to.match(/^holds a private key/);
  });

  it("never repeats the text, not even in the cause", () => {
    const error = refusal(() => asPrivate("-----BEGIN PRIVATE KEY-----\ntopsecret\n-----END PRIVATE KEY-----"));
    expect(`${error.message} ${error.stack} ${String(error.cause)}`).not.to.contain("topsecret");
  });
});

describe("readSecret", () => {
  it("says of `secret` what is wrong with it", () => {
    expect(refusal(() => readSecret(utf8Key, "")).message).to.equal("`secret` must not be empty");
    const cause = new Error("cause");
    const parse = () => {
      throw new ConfigurationError("is odd", { cause });
    };
    expect(refusal(() => readSecret(parse, "x")).cause).to.equal(cause);
  });

  it("gives the key, and other errors, as they are", () => {
    expect(readSecret(utf8Key, "x").export().toString()).to.equal("x");
    const broken = () => {
      throw new RangeError("other");
    };
    expect(() => readSecret(broken, "x")).to.throw(RangeError, /^other$/);
  });
});
