import { expect } from "chai";
import fc from "fast-check";
import { PayloadError } from "../../../src/errors.ts";
import { isRecord, parsePayload } from "../../../src/providers/schemes/json.ts";

/** How a parsed body looks, or what is said of one that is refused. */
function parsed(body: string | Uint8Array): unknown {
  try {
    return parsePayload(Buffer.from(body));
  } catch (error) {
    if (error instanceof PayloadError) return `${error.message}`;
    throw error;
  }
}

const TOO_DEEP = "the body is nested deeper than 2000 levels";

describe("parsePayload", () => {
  const nested = (levels: number, inner = "0"): string => `${"[".repeat(levels)}${inner}${"]".repeat(levels)}`;
  const nestedObjects = (levels: number): string => `${'{"a":'.repeat(levels)}0${"}".repeat(levels)}`;

  it("takes 2000 levels, and no more", () => {
    expect(parsed(nested(2_000))).to.be.an("array");
    expect(parsed(nested(2_001))).to.equal(TOO_DEEP);
    expect(parsed("[".repeat(2_000) + "]".repeat(2_000))).to.be.an("array");
    expect(parsed("[".repeat(2_001) + "]".repeat(2_001))).to.equal(TOO_DEEP);
    expect(parsed(nestedObjects(2_000))).to.be.an("object");
    expect(parsed(nestedObjects(2_001))).to.equal(TOO_DEEP);
    expect(parsed(`[[],${nested(1_999)}]`)).to.be.an("array");
    expect(parsed(`[[],${nested(2_000)}]`)).to.equal(TOO_DEEP);
    expect(parsed(`[{},${nested(2_000)}]`)).to.equal(TOO_DEEP);
  });

  it("counts what is nested, whatever strings say", () => {
    // JSON.stringify escapes quotes and backslashes of its own accord.
    const text = fc.string({ unit: fc.constantFrom("[", "]", "{", "}", '"', "\\", "a", "é", "\n") });
    const value = fc.letrec((again) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        text,
        fc.array(again("node"), { maxLength: 3 }),
        fc.dictionary(text, again("node"), { maxKeys: 3 }),
      ),
    })).node;
    const depth = (node: unknown): number =>
      typeof node === "object" && node !== null ? 1 + Math.max(0, ...Object.values(node).map(depth)) : 0;
    fc.assert(
      fc.property(value, (node) => {
        const room = 2_000 - depth(node);
        expect(parsed(nested(room, JSON.stringify(node)))).to.be.an("array");
        expect(parsed(nested(room + 1, JSON.stringify(node)))).to.equal(TOO_DEEP);
      }),
      { numRuns: 300 },
    );
  });

  it("never quotes the body", () => {
    for (const body of ["secret-marker", '{"secret-marker"', `{"a":${nested(2_001, '"secret-marker"')}}`, "\uFFFE"]) {
      expect(parsed(body)).to.be.a("string").that.does.not.include("marker");
    }
  });

  it("takes a byte order mark off, and only the first", () => {
    expect(parsed('\uFEFF{"a":"\uFEFF"}')).to.deep.equal({ a: "\uFEFF" });
    expect(parsed("\uFEFF{}")).to.deep.equal({});
  });
});

describe("isRecord", () => {
  it("takes objects alone", () => {
    expect(isRecord({})).to.equal(true);
    expect(isRecord(Object.create(null))).to.equal(true);
    for (const odd of [null, undefined, [], [{}], 5, "x", true]) expect(isRecord(odd)).to.equal(false);
  });
});
