import { expect } from "chai";
import { PayloadError } from "../../src/errors.ts";
import { checkId, checkType, optionalBoolean, optionalDate } from "../../src/providers/payload.ts";

describe("checkId", () => {
  it("takes printable text of up to 255 characters", () => {
    for (const good of ["evt_1", "evt_ünïcode", "63fe3d2ddf70970001cfb41a", "a b".replace(" ", "-"), "x".repeat(255)]) {
      expect(checkId(good)).to.equal(good);
    }
  });

  it("refuses a missing id, and one that is no text", () => {
    for (const odd of [undefined, "", null, 5, {}, ["evt_1"]]) {
      expect(() => checkId(odd), String(odd)).to.throw(PayloadError, "the event has no `id`");
    }
  });

  it("refuses one that is too long", () => {
    const message = "the event's `id` is longer than 255 characters";
    expect(() => checkId("x".repeat(256))).to.throw(PayloadError, message);
  });

  it("refuses spaces, slashes and what cannot be seen", () => {
    const message = "the event's `id` holds characters that no id has";
    for (const odd of ["a b", " a", "a\n", "a\0", "a/b", "a\\b", "../a", "a\u200b", "a\u2028b", "a\u00a0", "\ud800"]) {
      expect(() => checkId(odd), JSON.stringify(odd)).to.throw(PayloadError, message);
    }
  });
});

describe("checkType", () => {
  it("takes segments between dots, slashes or colons, with brackets and underscores, of up to 255 characters", () => {
    const names = ["charge.paid", "orders/create", "charge:confirmed", "a/b:c.d"];
    const good = [...names, "webhook_ping", "v2.core.account[requirements].updated", "a-b.c", "x".repeat(255)];
    for (const one of good) expect(checkType(one)).to.equal(one);
  });

  it("is undefined for a body without one", () => {
    expect(checkType(undefined)).to.equal(undefined);
  });

  it("refuses anything else", () => {
    const odd = ["", ".", "a.", ".a", "a..b", "a b", "a\n", "\na", "a\\b", "ä", null, 5, ["a"], "x".repeat(256)];
    const edges = ["/", "a/", "/a", "a//b", ":", "a:", ":a", "a::b", "a./b", "a,b", "a=b"];
    for (const one of [...odd, ...edges]) {
      expect(() => checkType(one), JSON.stringify(one)).to.throw(
        PayloadError,
        "the event's `type` is not an event type",
      );
    }
  });
});

describe("optionalBoolean", () => {
  it("gives booleans, and nothing else", () => {
    expect([true, false, 1, "true", null, undefined].map(optionalBoolean)).to.deep.equal([
      true,
      false,
      ...Array(4).fill(undefined),
    ]);
  });
});

describe("optionalDate", () => {
  it("reads seconds and ISO 8601", () => {
    expect(optionalDate(1533204620)).to.deep.equal(new Date("2018-08-02T10:10:20Z"));
    expect(optionalDate(0)).to.deep.equal(new Date(0));
    expect(optionalDate("2024-09-17T06:20:52.246Z")).to.deep.equal(new Date("2024-09-17T06:20:52.246Z"));
  });

  it("is undefined for what is no date", () => {
    for (const odd of [1e300, Number.NaN, "", "soon", null, undefined, {}, [5], true]) {
      expect(optionalDate(odd), String(odd)).to.equal(undefined);
    }
  });
});
