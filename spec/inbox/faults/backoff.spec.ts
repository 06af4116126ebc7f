import { expect } from "chai";
import fc from "fast-check";
import { backoffMs, policyOf } from "../../../src/inbox/policy.ts";

const ms = (max: number) => fc.integer({ min: 1, max });
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe("the time to the next attempt", () => {
  it("is a whole number of milliseconds, up to the base doubled with each attempt, and never beyond the cap", () => {
    const property = fc.property(ms(60_000), ms(86_400_000), ms(5_000), chance, (baseMs, capMs, attempt, random) => {
      const wait = backoffMs(policyOf({ backoff: { baseMs, capMs }, random: () => random }), attempt);
      expect(Number.isSafeInteger(wait)).to.equal(true);
      expect(wait).to.be.at.least(0).and.at.most(capMs);
      // Beyond thirty doublings any base is beyond any cap.
      if (attempt <= 30) expect(wait).to.be.at.most(baseMs * 2 ** (attempt - 1));
    });
    fc.assert(property);
  });

  it("is any part of that, as chance has it: full jitter", () => {
    const property = fc.property(
      ms(60_000),
      ms(86_400_000),
      fc.integer({ min: 1, max: 30 }),
      (baseMs, capMs, attempt) => {
        const waitAt = (random: number) =>
          backoffMs(policyOf({ backoff: { baseMs, capMs }, random: () => random }), attempt);
        const most = Math.min(capMs, baseMs * 2 ** (attempt - 1));
        expect(waitAt(0)).to.equal(0);
        expect(waitAt(0.5)).to.equal(Math.ceil(most / 2));
        expect(waitAt(1 - Number.EPSILON)).to.equal(most);
      },
    );
    fc.assert(property);
  });

  it("gives an event that always fails seventeen hours at the most by default, in fifteen attempts", () => {
    const policy = policyOf({ random: () => 1 - Number.EPSILON });
    expect(policy.attempts).to.equal(15);
    const waits = Array.from({ length: policy.attempts - 1 }, (_, index) => backoffMs(policy, index + 1));
    expect(waits.slice(0, 4)).to.deep.equal([5_000, 10_000, 20_000, 40_000]);
    expect(Math.max(...waits)).to.equal(6 * 3_600_000);
    expect(Math.floor(waits.reduce((sum, wait) => sum + wait) / 3_600_000)).to.equal(17);
  });
});
