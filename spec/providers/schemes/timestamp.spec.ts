import { expect } from "chai";
import { parseSeconds, staleness } from "../../../src/providers/schemes/timestamp.ts";

describe("parseSeconds", () => {
  it("reads plain digits", () => {
    expect(parseSeconds("0")).to.equal(0);
    expect(parseSeconds("1533204620")).to.equal(1533204620);
    expect(parseSeconds("999999999999")).to.equal(999999999999);
  });

  it("refuses everything else", () => {
    const odd = ["", "-1", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "abc", "1700000000junk", "٣", "1\n", "1000000000000"];
    for (const text of odd) expect(parseSeconds(text), JSON.stringify(text)).to.equal(undefined);
    expect(parseSeconds(undefined)).to.equal(undefined);
  });
});

describe("staleness", () => {
  const at = (nowMs: number, tolerance = 300) => staleness(1_000_000, nowMs, tolerance);

  it("takes the tolerance inclusively on both sides", () => {
    expect(at(1_000_000_000)).to.equal(undefined);
    expect(at(1_000_300_000)).to.equal(undefined);
    expect(at(999_700_000)).to.equal(undefined);
  });

  it("counts whole seconds", () => {
    expect(at(1_000_300_999)).to.equal(undefined);
    expect(at(1_000_301_000)).to.equal("timestamp_too_old");
    expect(at(999_699_999)).to.equal("timestamp_in_future");
  });

  it("takes a tolerance of zero at its word", () => {
    expect(at(1_000_000_999, 0)).to.equal(undefined);
    expect(at(1_000_001_000, 0)).to.equal("timestamp_too_old");
    expect(at(999_999_999, 0)).to.equal("timestamp_in_future");
  });

  it("refuses where clock or tolerance is not a number", () => {
    expect(at(Number.NaN)).to.equal("timestamp_too_old");
    expect(at(1_000_000_000, Number.NaN)).to.equal("timestamp_too_old");
  });
});
