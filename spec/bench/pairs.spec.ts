import { expect } from "chai";
import fc from "fast-check";
import { median, medianRange, quantile } from "../../bench/method/median.ts";
import { AGAIN, inPairs, type Timed } from "../../bench/method/pairs.ts";

const never = Number.POSITIVE_INFINITY;

/** Slices that cost what the list says, one after the other. */
function costing(name: string, ...costs: readonly number[]): Timed & { taken: number } {
  return {
    name,
    taken: 0,
    async slice() {
      const cost = costs[this.taken % costs.length] as number;
      this.taken += 1;
      return { time: cost };
    },
  };
}

describe("the pairs of a bench", () => {
  it("set each contender beside a slice of the floor until each has its pairs", async () => {
    const floor = costing("floor", 10);
    const contenders = [costing("one", 20), costing("other", 5)];
    const pairs = await inPairs(floor, contenders, { count: 7, until: never, seed: 1 });
    for (const name of ["one", "other", AGAIN]) expect(pairs.count(name)).to.be.at.least(7);
    expect(pairs.ratio("one", "time")).to.equal(2);
    expect(pairs.ratio("other", "time")).to.equal(0.5);
    expect(pairs.against("one", "other", "time")).to.equal(4);
    expect(pairs.difference("one", "time")).to.equal(10);
    expect(pairs.noise("time")).to.equal(0);
  });

  it("make do with those that there are once the time is over", async () => {
    const pairs = await inPairs(costing("floor", 1), [costing("one", 1)], { count: 7, until: 0, seed: 1 });
    expect(pairs.count("one")).to.equal(0);
    expect(pairs.ratio("one", "time")).to.be.NaN;
    expect(pairs.noise("time")).to.be.NaN;
  });

  it("know how far the floor was from itself, as a ratio and as a difference", async () => {
    const again = costing(AGAIN, 8, 10, 12);
    const pairs = await inPairs(costing("floor", 10), [], { again, count: 30, until: never, seed: 1 });
    expect(pairs.noise("time")).to.be.closeTo(0.2, 1e-9);
    expect(pairs.noiseOfDifference("time")).to.equal(2);
  });
});

describe("the median of a bench", () => {
  it("lies within its own range, as do no more values than half on either side", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 1, maxLength: 200 }), (values) => {
        const [low, high] = medianRange(values);
        const middle = median(values);
        expect(low).to.be.at.most(middle);
        expect(high).to.be.at.least(middle);
        expect(values.filter((each) => each < middle).length).to.be.at.most(values.length / 2);
        expect(values.filter((each) => each > middle).length).to.be.at.most(values.length / 2);
      }),
    );
  });

  it("is no number of nothing", () => {
    expect(median([])).to.be.NaN;
    expect(medianRange([])).to.deep.equal([Number.NaN, Number.NaN]);
  });

  it("is one of the quantiles", () => {
    expect(quantile([4, 1, 3, 2, 5], 0)).to.equal(1);
    expect(quantile([4, 1, 3, 2, 5], 0.5)).to.equal(3);
    expect(quantile([1, 2], 0.5)).to.equal(1.5);
    expect(quantile([4, 1, 3, 2, 5], 1)).to.equal(5);
  });
});
