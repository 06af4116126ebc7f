import { constants, createHash, createPrivateKey, createPublicKey, publicEncrypt, sign } from "node:crypto";
import { expect } from "chai";
import { opensToDigest, sealDigest, signRsaSha256, verifyRsaSha256 } from "../../../src/providers/schemes/rsa.ts";
import { OTHER, PRIVATE_PEM, rsaPair } from "../keys.ts";

const privateKey = createPrivateKey(PRIVATE_PEM);
const publicKey = createPublicKey(PRIVATE_PEM);
const body = Buffer.from('{"id":"1"}');

describe("verifyRsaSha256", () => {
  it("takes the signature that node:crypto makes, and the one that we make", () => {
    expect(verifyRsaSha256(publicKey, body, sign("RSA-SHA256", body, privateKey))).to.equal(true);
    expect(verifyRsaSha256(publicKey, body, signRsaSha256(privateKey, body))).to.equal(true);
  });

  it("refuses another body, another key, another hash and another padding", () => {
    const signature = signRsaSha256(privateKey, body);
    expect(verifyRsaSha256(publicKey, Buffer.from("other"), signature)).to.equal(false);
    expect(verifyRsaSha256(createPublicKey(OTHER.publicPem), body, signature)).to.equal(false);
    expect(verifyRsaSha256(publicKey, body, sign("sha512", body, privateKey))).to.equal(false);
    const pss = sign("sha256", body, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING });
    expect(verifyRsaSha256(publicKey, body, pss)).to.equal(false);
  });

  it("refuses a signature that is not as long as the modulus", () => {
    const signature = signRsaSha256(privateKey, body);
    for (const odd of [signature.subarray(1), Buffer.concat([Buffer.alloc(1), signature]), Buffer.alloc(0)]) {
      expect(verifyRsaSha256(publicKey, body, odd)).to.equal(false);
    }
  });

  it("refuses a number beyond the modulus without throwing", () => {
    expect(verifyRsaSha256(publicKey, body, Buffer.alloc(256, 0xff))).to.equal(false);
  });

  it("refuses, without throwing, a key that cannot verify", () => {
    const secret = { asymmetricKeyDetails: { modulusLength: 2048 } } as never;
    expect(verifyRsaSha256(secret, body, Buffer.alloc(256))).to.equal(false);
    expect(verifyRsaSha256({} as never, body, Buffer.alloc(0))).to.equal(false);
  });
});

describe("opensToDigest", () => {
  const hex = createHash("sha256").update(body).digest("hex");
  const size = 256;

  /** Encrypts a block as it stands. */
  const raw = (block: Buffer) => publicEncrypt({ key: publicKey, padding: constants.RSA_NO_PADDING }, block);
  /** 00 02, padding of `length` bytes, 00, the text; then changed. */
  const block = (text: string, change: (block: Buffer) => void = () => {}): Buffer => {
    const bytes = Buffer.concat([Buffer.from([0, 2]), Buffer.alloc(size - 3 - text.length, 0xaa), Buffer.from([0])]);
    const whole = Buffer.concat([bytes, Buffer.from(text, "latin1")]);
    change(whole);
    return whole;
  };
  const opens = (plain: Buffer) => opensToDigest(privateKey, body, raw(plain));

  it("takes the digest that node:crypto encrypts, and the one that we encrypt", () => {
    const padding = constants.RSA_PKCS1_PADDING;
    const sealed = publicEncrypt({ key: publicKey, padding }, Buffer.from(hex));
    expect(opensToDigest(privateKey, body, sealed)).to.equal(true);
    expect(opensToDigest(privateKey, body, sealDigest(privateKey, body))).to.equal(true);
    expect(opens(block(hex))).to.equal(true);
  });

  it("takes padding of every byte but zero", () => {
    for (const byte of [1, 2, 127, 128, 255]) {
      expect(opens(block(hex, (plain) => plain.fill(byte, 2, size - 65)))).to.equal(true);
    }
  });

  it("refuses a block that does not begin with 00 02", () => {
    expect(opens(block(hex, (plain) => plain.writeUInt8(1, 0)))).to.equal(false);
    for (const byte of [0, 1, 3, 255]) {
      expect(opens(block(hex, (plain) => plain.writeUInt8(byte, 1)))).to.equal(false);
    }
  });

  it("refuses a zero anywhere in the padding", () => {
    for (const index of [2, 3, 9, 10, 100, size - 66]) {
      expect(opens(block(hex, (plain) => plain.writeUInt8(0, index))), `index ${index}`).to.equal(false);
    }
  });

  it("refuses padding that does not end in zero", () => {
    expect(opens(block(hex, (plain) => plain.writeUInt8(1, size - 65)))).to.equal(false);
  });

  it("refuses a message that is longer, shorter, upper-case or another", () => {
    const other = createHash("sha256").update("other").digest("hex");
    for (const text of [`${hex}0`, `0${hex}`, hex.slice(1), hex.slice(0, 63), hex.toUpperCase(), other, ""]) {
      expect(opens(block(text)), text).to.equal(false);
    }
  });

  it("refuses another body and another key", () => {
    const sealed = sealDigest(privateKey, body);
    expect(opensToDigest(privateKey, Buffer.from("other"), sealed)).to.equal(false);
    expect(opensToDigest(createPrivateKey(OTHER.privatePem), body, sealed)).to.equal(false);
  });

  it("refuses what is not as long as the modulus, or beyond it, without throwing", () => {
    const sealed = sealDigest(privateKey, body);
    for (const odd of [sealed.subarray(1), Buffer.concat([sealed, Buffer.alloc(1)]), Buffer.alloc(0)]) {
      expect(opensToDigest(privateKey, body, odd)).to.equal(false);
    }
    expect(opensToDigest(privateKey, body, Buffer.alloc(size, 0xff))).to.equal(false);
    expect(opensToDigest(privateKey, body, Buffer.alloc(size))).to.equal(false);
  });

  it("takes the shortest key that leaves eight bytes of padding, and refuses a shorter one", () => {
    const shortest = createPrivateKey(rsaPair(600).privatePem);
    expect(opensToDigest(shortest, body, sealDigest(shortest, body))).to.equal(true);
    const shorter = createPrivateKey(rsaPair(592).privatePem);
    const plain = Buffer.concat([Buffer.from([0, 2]), Buffer.alloc(7, 1), Buffer.from([0]), Buffer.from(hex)]);
    const sealed = publicEncrypt({ key: createPublicKey(shorter as never), padding: constants.RSA_NO_PADDING }, plain);
    expect(opensToDigest(shorter, body, sealed)).to.equal(false);
  });
});
