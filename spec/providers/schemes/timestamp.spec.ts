import { expect } from "chai";
import fc from "fast-check";
import { parseTimestamp, staleness, timestampText } from "../../../src/providers/schemes/timestamp.ts";

describe("parseTimestamp", () => {
  it("reads plain digits", () => {
    expect(parseTimestamp("0")).to.equal(0);
    expect(parseTimestamp("1533204620")).to.equal(1533204620);
    expect(parseTimestamp("999999999999999")).to.equal(999999999999999);
  });

  it("reads milliseconds as the seconds that have passed", () => {
    expect(parseTimestamp("1533204620000", "ms")).to.equal(1533204620);
    expect(parseTimestamp("1533204620999", "ms")).to.equal(1533204620);
    expect(parseTimestamp("999", "ms")).to.equal(0);
    expect(parseTimestamp("1.5", "ms")).to.equal(undefined);
  });

  it("reads any number of up to fifteen digits, and no other text", () => {
    const digits = fc.string({ unit: fc.constantFrom(..."0123456789"), maxLength: 17 });
    const alike = fc.string({ unit: fc.constantFrom(..."0123456789+-.e /:\u0661"), maxLength: 17 });
    fc.assert(
      fc.property(fc.oneof(digits, alike, fc.string()), (text) => {
        const read = /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
        expect(parseTimestamp(text)).to.equal(read);
        expect(parseTimestamp(text, "ms")).to.equal(read === undefined ? undefined : Math.floor(read / 1000));
      }),
    );
  });

  it("refuses everything else", () => {
    const odd = [
      "",
      "-1",
      "+1",
      " 1",
      "1 ",
      "1.0",
      "1e3",
      "0x1",
      "abc",
      "1700000000junk",
      "٣",
      "1\n",
      "1000000000000000",
    ];
    for (const text of odd) expect(parseTimestamp(text), JSON.stringify(text)).to.equal(undefined);
    expect(parseTimestamp(undefined)).to.equal(undefined);
  });
});

describe("timestampText", () => {
  it("writes what parseTimestamp reads, in whole units", () => {
    expect(timestampText(1533204620999)).to.equal("1533204620");
    expect(timestampText(1533204620999.7, "ms")).to.equal("1533204620999");
    expect(parseTimestamp(timestampText(1533204620999, "ms"), "ms")).to.equal(1533204620);
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
