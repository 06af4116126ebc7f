import { expect } from "chai";
import type { RequestHeaders } from "../../../src/providers/provider.ts";
import { headerValue } from "../../../src/providers/schemes/header.ts";

const value = (headers: unknown) => headerValue(headers as RequestHeaders, "x-signature");

describe("headerValue", () => {
  it("finds a header by its lower-case name", () => {
    expect(value({ "x-signature": "a", "X-Signature": "b" })).to.equal("a");
  });

  it("finds a header in any case", () => {
    expect(value({ "X-SIGNATURE": "a" })).to.equal("a");
    expect(value({ Host: "h", "X-Signature": "a" })).to.equal("a");
  });

  it("gives an empty value as it is", () => {
    expect(value({ "x-signature": "" })).to.equal("");
  });

  it("takes an array of one for its element", () => {
    expect(value({ "x-signature": ["a"] })).to.equal("a");
    expect(value({ "X-Signature": ["a"] })).to.equal("a");
  });

  it("joins a repeated header, as Node does", () => {
    expect(value({ "x-signature": ["a", "b"] })).to.equal("a, b");
    expect(value({ "X-Signature": "a", "X-SIGNATURE": "b" })).to.equal("a, b");
  });

  it("is undefined where the header is absent or is no text", () => {
    expect(value({})).to.equal(undefined);
    expect(value({ "x-signature": undefined })).to.equal(undefined);
    expect(value({ "x-signature": [] })).to.equal(undefined);
    for (const odd of [7, null, {}, [7], [null], Symbol("s")])
      expect(value({ "x-signature": odd })).to.equal(undefined);
  });

  it("does not take another header for it", () => {
    expect(value({ "x-signature-2": "a", "-x-signature": "b" })).to.equal(undefined);
  });
});
