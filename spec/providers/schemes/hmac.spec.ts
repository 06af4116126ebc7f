import { createHmac, createSecretKey } from "node:crypto";
import { expect } from "chai";
import type { SigningKey } from "../../../src/providers/provider.ts";
import { hmac, matchHmac, sameBytes } from "../../../src/providers/schemes/hmac.ts";

const key = (label: string): SigningKey => ({ label, scheme: "v1", key: createSecretKey(label, "utf8") });
const input = { algorithm: "sha256", prefix: "1.", body: Buffer.from([0xef, 0xbb, 0xbf, 0xff, 0]) } as const;
const digest = (label: string) => hmac(key(label).key, input);

describe("hmac", () => {
  it("is taken over the prefix and then the raw bytes", () => {
    const whole = Buffer.concat([Buffer.from("1."), input.body]);
    expect(digest("a")).to.deep.equal(createHmac("sha256", "a").update(whole).digest());
  });

  it("uses the algorithm asked for", () => {
    const body = Buffer.from("x");
    const sha1 = hmac(key("a").key, { algorithm: "sha1", prefix: "", body });
    expect(sha1).to.deep.equal(createHmac("sha1", "a").update(body).digest());
  });
});

describe("sameBytes", () => {
  it("compares content and length, and never throws", () => {
    expect(sameBytes(Buffer.from("ab"), new Uint8Array([97, 98]))).to.equal(true);
    expect(sameBytes(Buffer.from("ab"), Buffer.from("ac"))).to.equal(false);
    expect(sameBytes(Buffer.from("ab"), Buffer.from("abc"))).to.equal(false);
    expect(sameBytes(Buffer.alloc(0), Buffer.alloc(0))).to.equal(true);
  });
});

describe("matchHmac", () => {
  const [a, b, c] = [key("a"), key("b"), key("c")];

  it("names the key that matches, in any place", () => {
    for (const match of [a, b, c]) expect(matchHmac([a, b, c], [digest(match.label)], input)).to.equal(match);
  });

  it("finds the candidate that matches, in any place", () => {
    const [wrong, short] = [Buffer.alloc(32), Buffer.alloc(31)];
    expect(matchHmac([a], [digest("a"), wrong, short], input)).to.equal(a);
    expect(matchHmac([a], [wrong, short, digest("a")], input)).to.equal(a);
  });

  it("names the first of several keys that match", () => {
    expect(matchHmac([b, a], [digest("a"), digest("b")], input)).to.equal(b);
  });

  it("is undefined where nothing matches, or there is nothing to match", () => {
    expect(matchHmac([a, b], [digest("c")], input)).to.equal(undefined);
    expect(matchHmac([], [digest("c")], input)).to.equal(undefined);
    expect(matchHmac([a], [], input)).to.equal(undefined);
    expect(matchHmac([a], [Buffer.alloc(0), digest("a").subarray(0, 31)], input)).to.equal(undefined);
  });
});
