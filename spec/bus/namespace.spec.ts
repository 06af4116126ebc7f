import { expect } from "chai";
import fc from "fast-check";
import { Namespace } from "../../src/bus/namespace.ts";
import { matches } from "../../src/bus/patterns.ts";

describe("Namespace", () => {
  it("puts itself before a name", () => {
    expect(new Namespace("stripe_event").call("charge.paid")).to.equal("stripe_event.charge.paid");
    expect(new Namespace("shopify_event", "/").call("orders/create")).to.equal("shopify_event/orders/create");
  });

  it("is its bare prefix without a name", () => {
    expect(new Namespace("stripe_event").call()).to.equal("stripe_event.");
    expect(new Namespace("stripe_event").call("")).to.equal("stripe_event.");
  });

  it("shows its parts", () => {
    const { value, delimiter } = new Namespace("a", "/");
    expect([value, delimiter]).to.deep.equal(["a", "/"]);
    expect(new Namespace("a").delimiter).to.equal(".");
  });

  it("is not empty, and neither is its delimiter", () => {
    for (const [value, delimiter] of [
      ["", "."],
      ["a", ""],
    ] as const) {
      expect(() => new Namespace(value, delimiter)).to.throw(
        TypeError,
        "`value` and `delimiter` of a Namespace must not be empty",
      );
    }
  });

  describe("as an expression", () => {
    const test = (pattern: string | undefined, name: string): boolean =>
      new Namespace("stripe_event").toRegExp(pattern).test(name);

    it("matches a type and all below it, from the beginning to the bounds of a segment", () => {
      expect(test("charge.refund", "stripe_event.charge.refund")).to.equal(true);
      expect(test("charge.refund", "stripe_event.charge.refund.updated")).to.equal(true);
      expect(test("charge.refund", "stripe_event.charge.refunded")).to.equal(false);
      expect(test("charge.refund", "my.stripe_event.charge.refund")).to.equal(false);
    });

    it("matches what is below a pattern that ends with the delimiter", () => {
      expect(test("charge.", "stripe_event.charge.refunded")).to.equal(true);
      expect(test("charge.", "stripe_event.charge")).to.equal(false);
      expect(test("charge.", "stripe_event.charges.refunded")).to.equal(false);
      expect(test("charge.", "my.stripe_event.charge.refunded")).to.equal(false);
    });

    it("matches the whole namespace without a pattern, and no other", () => {
      expect(test(undefined, "stripe_event.charge.refunded")).to.equal(true);
      expect(test("", "stripe_event.charge.refunded")).to.equal(true);
      expect(test(undefined, "stripe_event_mx.charge.refunded")).to.equal(false);
      expect(test(undefined, "my.stripe_event.charge.refunded")).to.equal(false);
    });

    it("takes every character for itself", () => {
      expect(test("charge.refund", "stripe_event.charge_refund")).to.equal(false);
      expect(test("charge.refund", "stripe_eventXcharge.refund")).to.equal(false);
      expect(test("v2.core.account[requirements]", "stripe_event.v2.core.account[requirements].updated")).to.equal(
        true,
      );
    });

    it("agrees with the rules of patterns, whatever the characters", () => {
      const text = fc.string({ unit: fc.constantFrom("a", "b", ".", "/", "*", "[", "]", "\\", "$", "-", "\n") });
      fc.assert(
        fc.property(fc.constantFrom(".", "/"), text, text, fc.boolean(), (delimiter, pattern, rest, joined) => {
          const namespace = new Namespace("a*b", delimiter);
          const name = namespace.call(joined ? pattern + rest : rest);
          expect(namespace.toRegExp(pattern).test(name)).to.equal(matches(namespace.call(pattern), name, delimiter));
        }),
        { numRuns: 1_000 },
      );
    });
  });
});
