import { expect } from "chai";
import { decode, decodeBase64, decodeHex, type Encoding, encode } from "../../../src/providers/schemes/encoding.ts";

describe("decodeHex", () => {
  it("decodes lower-case hex of the right length", () => {
    expect(decodeHex("00ff7a", 3)).to.deep.equal(Buffer.from([0, 255, 122]));
  });

  it("refuses everything else", () => {
    for (const text of ["", "00ff", "00ff7a0", "00ff7a00", "00FF7A", "00ff7g", " 00ff7", "00ff7\u0661", "zzzzzz"]) {
      expect(decodeHex(text, 3), text).to.equal(undefined);
    }
  });
});

describe("decodeBase64", () => {
  it("decodes canonical base64", () => {
    expect(decodeBase64("AP96")).to.deep.equal(Buffer.from([0, 255, 122]));
    expect(decodeBase64("AP8=")).to.deep.equal(Buffer.from([0, 255]));
  });

  it("refuses an empty text, the URL alphabet, spaces, missing padding, stray bits and junk", () => {
    for (const text of ["", "-_-_", "AP 96", "AP96\n", "AP8", "AP9=", "***", "AP96=", "ÄP96", "AP8=AP8="]) {
      expect(decodeBase64(text), text).to.equal(undefined);
    }
  });
});

describe("decode", () => {
  const bytes = Buffer.from([0xfb, 0xff, 0, 1]);
  const texts: Record<Encoding, string> = { hex: "fbff0001", base64: "+/8AAQ==", base64url: "-_8AAQ" };

  for (const encoding of ["hex", "base64", "base64url"] as const) {
    const text = texts[encoding];

    it(`reads what encode writes in ${encoding}`, () => {
      expect(encode(bytes, encoding)).to.equal(text);
      expect(encode(new Uint8Array(bytes), encoding)).to.equal(text);
      expect(decode(text, encoding)).to.deep.equal(bytes);
      expect(decode(text, encoding, 4)).to.deep.equal(bytes);
    });

    it(`refuses another length, and what is not canonical ${encoding}`, () => {
      for (const length of [0, 3, 5]) expect(decode(text, encoding, length)).to.equal(undefined);
      const others = Object.values(texts).filter((other) => other !== text);
      for (const odd of ["", `${text} `, ` ${text}`, `${text}=`, text.slice(1), `${text}ü`, ...others]) {
        // Hex digits are base64 as well, of other bytes.
        if (odd === texts.hex && encoding !== "hex") continue;
        expect(decode(odd, encoding), odd).to.equal(undefined);
        expect(decode(odd, encoding, 4), odd).to.equal(undefined);
      }
    });
  }

  it("refuses hex in upper case, and an odd number of digits", () => {
    for (const length of [undefined, 2]) {
      for (const odd of ["FBFF", "fbf", "fbff0"]) expect(decode(odd, "hex", length), odd).to.equal(undefined);
    }
  });
});
