import { expect } from "chai";
import fc from "fast-check";
import {
  firstHeader,
  type HeaderSignatures,
  nameOf,
  readList,
  readOne,
  trimmed,
} from "../../../src/providers/schemes/header-list.ts";

/** What was read, with the signatures as a list of pairs. */
function shown(read: HeaderSignatures | string): unknown {
  if (typeof read === "string") return read;
  return { signatures: read.signatures.map(({ tag, text }) => [tag, text]), timestamp: read.timestamp };
}

describe("firstHeader", () => {
  it("finds a field by its name, or the first of several that came", () => {
    const headers = { "X-B": "b", "x-c": "c" };
    expect(firstHeader(headers, "x-b")).to.equal("b");
    expect(firstHeader(headers, ["x-a", "x-b", "x-c"])).to.equal("b");
    expect(firstHeader(headers, ["x-c", "x-b"])).to.equal("c");
    expect(firstHeader({ "x-a": "", "x-b": "b" }, ["x-a", "x-b"])).to.equal("");
    for (const name of ["x-a", ["x-a"], []]) expect(firstHeader(headers, name)).to.equal(undefined);
  });
});

describe("nameOf", () => {
  it("is the one name, or the first", () => {
    expect(nameOf("x-a")).to.equal("x-a");
    expect(nameOf(["x-a", "x-b"])).to.equal("x-a");
  });
});

describe("readOne", () => {
  it("takes the prefix off", () => {
    expect(shown(readOne("sha256=ab", "sha256="))).to.deep.equal({
      signatures: [[undefined, "ab"]],
      timestamp: undefined,
    });
    expect(shown(readOne("t=ab", ""))).to.deep.equal({ signatures: [[undefined, "t=ab"]], timestamp: undefined });
  });

  it("tells another scheme from garbage", () => {
    for (const other of ["sha1=ab", "v1=", "SHA256=ab"])
      expect(readOne(other, "sha256=")).to.equal("no_expected_scheme");
    for (const odd of ["ab", "=ab", "sha-1=ab", " sha1=ab", "foo bar=1"]) {
      expect(readOne(odd, "sha256="), odd).to.equal("malformed_header");
    }
  });
});

describe("readList", () => {
  const LIST = { separator: ",", assign: "=" };

  it("reads each item, in their order", () => {
    expect(shown(readList("v1=a,t=5,v0=b,v1=c=d,x,v1=", LIST, "t"))).to.deep.equal({
      signatures: [
        ["v1", "a"],
        ["v0", "b"],
        ["v1", "c=d"],
        ["x", ""],
        ["v1", ""],
      ],
      timestamp: "5",
    });
  });

  it("takes any separators, of any length", () => {
    expect(shown(readList("v1,a v1a,b", { separator: " ", assign: "," }, undefined))).to.deep.equal({
      signatures: [
        ["v1", "a"],
        ["v1a", "b"],
      ],
      timestamp: undefined,
    });
    expect(shown(readList("a: 1; b: 2", { separator: "; ", assign: ": " }, "b"))).to.deep.equal({
      signatures: [["a", "1"]],
      timestamp: "2",
    });
  });

  it("refuses a list without its timestamp, with two, and with one that has a space before it", () => {
    for (const odd of ["", "v1=a", "t=1,t=1", "t=1,v1=a, t=1", " t=1", "t =1", "t,t=1", "T=1"]) {
      expect(readList(odd, LIST, "t"), odd).to.equal("malformed_header");
    }
  });

  it("reads `t` as any other name where the list has no timestamp", () => {
    expect(shown(readList("t=1,t=2", LIST, undefined))).to.deep.equal({
      signatures: [
        ["t", "1"],
        ["t", "2"],
      ],
      timestamp: undefined,
    });
  });

  it("is not confused by names that objects have", () => {
    const read = readList("__proto__=a,constructor=b", LIST, undefined);
    expect(shown(read)).to.deep.include({
      signatures: [
        ["__proto__", "a"],
        ["constructor", "b"],
      ],
    });
  });
});

describe("trimmed", () => {
  it("is what trim makes of any text", () => {
    const spaced = fc.string({
      unit: fc.constantFrom(" ", "\t", "\n", "\u00a0", "\ufeff", "\u2003", "\0", "a", "é", "\x7f"),
    });
    fc.assert(
      fc.property(fc.oneof(spaced, fc.string()), (text) => {
        expect(trimmed(text)).to.equal(text.trim());
      }),
    );
  });
});
