import { expect } from "chai";
import fc from "fast-check";
import { matches, matchingPatterns } from "../../src/bus/patterns.ts";

/** What a pattern means, said with lists of segments instead of strings. */
function meaning(pattern: string, name: string, delimiter: string): boolean {
  if (pattern === "") return true;
  const below = pattern.endsWith(delimiter);
  const wanted = pattern.split(delimiter).slice(0, below ? -1 : undefined);
  const given = name.split(delimiter);
  return given.length >= wanted.length + (below ? 1 : 0) && wanted.every((segment, index) => segment === given[index]);
}

const delimiters = fc.constantFrom(".", "/");
const segments = fc.oneof(
  fc.constantFrom("", "a", "ab", "b", "card", "cardigan", "charge"),
  fc.string({ maxLength: 3 }),
);
const names = (delimiter: string): fc.Arbitrary<string> =>
  fc.array(segments, { maxLength: 5 }).map((parts) => parts.join(delimiter));

/** A delimiter, a name, and a pattern that is often a piece of the name, or nearly one. */
const cases = delimiters.chain((delimiter) =>
  names(delimiter).chain((name) =>
    fc.tuple(
      fc.constant(delimiter),
      fc.constant(name),
      fc.oneof(
        names(delimiter),
        fc.nat({ max: name.length }).map((end) => name.slice(0, end)),
        fc.nat({ max: name.length }).map((end) => name.slice(0, end) + delimiter),
        fc.constantFrom("a", delimiter).map((more) => name + more),
      ),
    ),
  ),
);

describe("patterns", () => {
  const reach: readonly [pattern: string, name: string, reached: boolean][] = [
    ["customer.card", "customer.card", true],
    ["customer.card", "customer.card.created", true],
    ["customer.card.", "customer.card.created", true],
    ["customer.card.", "customer.card.created.twice", true],
    ["customer.card.", "customer.card", false],
    ["customer.card", "customer.cardigan", false],
    ["customer.card.", "customer.cardigan", false],
    ["customer.card.", "customer.cardigan.created", false],
    ["customer.card.created", "customer.card", false],
    ["customer", "customer_cash_balance_transaction.created", false],
    ["charge.refund", "charge.refunded", false],
    ["charge.refund", "charge.refund.updated", true],
    ["charge.refunded", "charge.refund.updated", false],
    ["card.created", "customer.card.created", false],
    ["", "charge.refunded", true],
    ["", "", true],
    ["charge", "", false],
    ["charge.", "charge.", true],
    ["charge", "charge.", true],
    [".", ".a", true],
    [".", "a", false],
    ["a.", "a..b", true],
    ["a..", "a..b", true],
    ["a..", "a.b", false],
    ["a.b", "a..b", false],
    ["Charge", "charge", false],
  ];
  for (const [pattern, name, reached] of reach) {
    const slashed = (text: string): string => text.replaceAll(".", "/");

    it(`"${pattern}" ${reached ? "matches" : "does not match"} "${name}"`, () => {
      expect(matches(pattern, name, "."), "matches").to.equal(reached);
      expect(matchingPatterns(name, ".").includes(pattern), "matchingPatterns").to.equal(reached);
    });

    it(`"${slashed(pattern)}" ${reached ? "matches" : "does not match"} "${slashed(name)}"`, () => {
      expect(matches(slashed(pattern), slashed(name), "/"), "matches").to.equal(reached);
      expect(matchingPatterns(slashed(name), "/").includes(slashed(pattern)), "matchingPatterns").to.equal(reached);
    });
  }

  it("takes another provider's delimiter for a letter like any other", () => {
    expect(matches("orders", "orders.create", "/")).to.equal(false);
    expect(matches("orders.", "orders.create", "/")).to.equal(false);
    expect(matches("orders.create", "orders.create/twice", "/")).to.equal(true);
    expect(matchingPatterns("orders.create/twice", "/")).to.deep.equal([
      "",
      "orders.create",
      "orders.create/",
      "orders.create/twice",
    ]);
  });

  it("lists the patterns that match a name, the widest first", () => {
    expect(matchingPatterns("customer.card.created", ".")).to.deep.equal([
      "",
      "customer",
      "customer.",
      "customer.card",
      "customer.card.",
      "customer.card.created",
    ]);
    expect(matchingPatterns("charge", ".")).to.deep.equal(["", "charge"]);
    expect(matchingPatterns("charge.", ".")).to.deep.equal(["", "charge", "charge."]);
    expect(matchingPatterns("", ".")).to.deep.equal([""]);
  });

  it("lists a pattern once, though empty segments give it twice", () => {
    expect(matchingPatterns("a..b", ".")).to.deep.equal(["", "a", "a.", "a..", "a..b"]);
    expect(matchingPatterns("..", ".")).to.deep.equal(["", ".", ".."]);
  });

  it("match what they mean", () => {
    fc.assert(
      fc.property(cases, ([delimiter, name, pattern]) => {
        expect(matches(pattern, name, delimiter)).to.equal(meaning(pattern, name, delimiter));
      }),
      { numRuns: 2_000 },
    );
  });

  it("are listed for a name if and only if they match it", () => {
    fc.assert(
      fc.property(cases, ([delimiter, name, pattern]) => {
        expect(matchingPatterns(name, delimiter).includes(pattern)).to.equal(matches(pattern, name, delimiter));
      }),
      { numRuns: 2_000 },
    );
  });

  it("are listed without repetition, two for each segment at most", () => {
    fc.assert(
      fc.property(cases, ([delimiter, name]) => {
        const listed = matchingPatterns(name, delimiter);
        expect(new Set(listed).size).to.equal(listed.length);
        expect(listed.length).to.be.at.most(2 * name.split(delimiter).length);
        for (const pattern of listed) expect(matches(pattern, name, delimiter), pattern).to.equal(true);
      }),
    );
  });

  it("agree for a delimiter of several characters, whose copies may overlap", () => {
    expect(matchingPatterns("a:::b", "::")).to.deep.equal(["", "a", "a::", "a:", "a:::", "a:::b"]);
    const named = fc.array(fc.constantFrom("a", "b", ":", "::"), { maxLength: 6 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(named, named, (name, pattern) => {
        expect(matchingPatterns(name, "::").includes(pattern)).to.equal(matches(pattern, name, "::"));
      }),
      { numRuns: 1_000 },
    );
  });
});
