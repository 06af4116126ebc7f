import { expect } from "chai";
import fc from "fast-check";
import { fingerprintOf } from "../../src/receiver/fingerprint.ts";

describe("the fingerprint of an event's data", () => {
  it("is the same for the same data, and short", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (data) => {
        const fingerprint = fingerprintOf(data);
        expect(fingerprintOf(structuredClone(data))).to.equal(fingerprint);
        expect(fingerprint).to.match(/^[0-9a-z]{1,7}$/);
      }),
    );
  });

  const data = { object: { id: "ch_1", amount: 5, paid: true, refund: null, lines: [1, { sku: "a" }], note: "" } };
  const others: Record<string, unknown> = {
    "another text": { object: { ...data.object, id: "ch_2" } },
    "another number": { object: { ...data.object, amount: 6 } },
    "a number for a text": { object: { ...data.object, note: 0 } },
    "another truth": { object: { ...data.object, paid: false } },
    "something for nothing": { object: { ...data.object, refund: {} } },
    "another name": { object: { ...data.object, note: undefined, text: "" } },
    "one more field": { object: { ...data.object, more: 1 } },
    "one more item": { object: { ...data.object, lines: [...data.object.lines, 2] } },
    "another value deep within": { object: { ...data.object, lines: [1, { sku: "b" }] } },
    "a list for an object": { object: ["ch_1", 5, true, null, [1, { sku: "a" }], ""] },
    "nothing at all": undefined,
  };
  for (const [title, other] of Object.entries(others)) {
    it(`is another one for ${title}`, () => {
      expect(fingerprintOf(other)).not.to.equal(fingerprintOf(data));
    });
  }

  it("tells long texts apart by their beginning and by their length", () => {
    const text = "x".repeat(1_000);
    expect(fingerprintOf({ text: `y${text.slice(1)}` })).not.to.equal(fingerprintOf({ text }));
    expect(fingerprintOf({ text: `${text}x` })).not.to.equal(fingerprintOf({ text }));
  });

  it("looks at all of it, however much there is", () => {
    const values = Array.from({ length: 1_000 }, (_, at) => at);
    for (const at of [0, 31, 32, 500, 999]) {
      expect(fingerprintOf(values.with(at, -1)), `the value ${at}`).not.to.equal(fingerprintOf(values));
    }
    const text = "x".repeat(10_000);
    expect(fingerprintOf({ text: `${text.slice(1)}y` })).not.to.equal(fingerprintOf({ text }));
  });
});
