import { expect } from "chai";
import { decodeBase64, decodeHex } from "../../../src/providers/schemes/encoding.ts";

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
