import { expect } from "chai";
import { PayloadError } from "../../../src/errors.ts";
import { isForm, parseForm, parseJsonOrForm } from "../../../src/providers/schemes/form.ts";

const FORM = "application/x-www-form-urlencoded";
const fields = (text: string): object => ({ ...parseForm(Buffer.from(text)) });

describe("parseForm", () => {
  it("reads fields", () => {
    expect(fields("a=1&b=%C3%A9+x%2B&c=&d")).to.deep.equal({ a: "1", b: "é x+", c: "", d: "" });
    expect(fields("")).to.deep.equal({});
  });

  it("makes a list of the values of one name, in their order", () => {
    expect(fields("a=1&b=2&a=3&a=1")).to.deep.equal({ a: ["1", "3", "1"], b: "2" });
  });

  it("has no prototype", () => {
    const hostile = parseForm(Buffer.from("__proto__=a&toString=b&__proto__=c"));
    expect(Object.getPrototypeOf(hostile)).to.equal(null);
    expect(Object.entries(hostile)).to.deep.equal([
      ["__proto__", ["a", "c"]],
      ["toString", "b"],
    ]);
    expect(parseForm(Buffer.from("a=1"))["constructor"]).to.equal(undefined);
  });

  it("refuses what is not UTF-8", () => {
    expect(() => parseForm(Buffer.from([0x61, 0x3d, 0xff]))).to.throw(PayloadError, "the body is not UTF-8");
  });

  it("reads a megabyte of one name in no time", () => {
    expect(parseForm(Buffer.from("a=&".repeat(300_000)))["a"]).to.have.length(300_000);
  }).timeout(2000);
});

describe("isForm", () => {
  it("asks the content type, whatever its case and parameters", () => {
    for (const type of [FORM, FORM.toUpperCase(), `${FORM}; charset=utf-8`, ` ${FORM} ;x`]) {
      expect(isForm({ headers: { "Content-Type": type } }), type).to.equal(true);
    }
    for (const type of [undefined, "", "application/json", `${FORM}x`, `x${FORM}`, `text/plain; ${FORM}`]) {
      expect(isForm({ headers: { "content-type": type } }), type).to.equal(false);
    }
  });
});

describe("parseJsonOrForm", () => {
  const parse = (body: string, type?: string) =>
    parseJsonOrForm({ method: "POST", url: "/", headers: { "content-type": type }, body: Buffer.from(body) });

  it("reads JSON unless the body says that it is a form", () => {
    expect(parse('{"a":1}')).to.deep.equal({ a: 1 });
    expect(parse('{"a":1}', "application/json")).to.deep.equal({ a: 1 });
    expect(() => parse("a=1")).to.throw(PayloadError, "the body is not JSON");
  });

  it("reads the JSON in a form's field `payload`, or else its fields", () => {
    expect(parse("payload=%7B%22a%22%3A1%7D&x=1", FORM)).to.deep.equal({ a: 1 });
    expect({ ...(parse("a=1&b=2", FORM) as object) }).to.deep.equal({ a: "1", b: "2" });
    expect({ ...(parse("payload=1&payload=2", FORM) as object) }).to.deep.equal({ payload: ["1", "2"] });
    expect(() => parse("payload=junk", FORM)).to.throw(PayloadError, "the body is not JSON");
    expect(() => parse("payload=", FORM)).to.throw(PayloadError, "the body is empty");
  });
});
