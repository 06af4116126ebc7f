import { createHash } from "node:crypto";
import { expect } from "chai";
import { contentHash, sha256 } from "../../../src/providers/schemes/content-hash.ts";

const hex = (text: string): string => createHash("sha256").update(text).digest("hex");

describe("hashes of content", () => {
  it("are of the pieces one after the other", () => {
    expect(sha256("a", Buffer.from("b"), "")).to.equal(hex("ab"));
  });

  it("are of the body as it came, or of the event where there is none", () => {
    const request = { method: "POST", url: "/", headers: {}, body: Buffer.from('{ "a": 1 }') };
    expect(contentHash({ a: 1 }, { request })).to.equal(hex('{ "a": 1 }'));
    expect(contentHash({ a: 1 }, {})).to.equal(hex('{"a":1}'));
    expect(contentHash(undefined, {})).to.equal(hex(""));
  });
});
