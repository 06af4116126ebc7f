import { expect } from "chai";
import type { Figure } from "../../bench/method/figure.ts";
import { aimOf, type Goal, verdictOn } from "../../bench/method/goals.ts";

const GOAL = { bench: "verify", metric: "hookbus / floor", figure: 1, source: "" } as const;

function met(comparison: Goal["comparison"], value: number, noise?: number): boolean {
  const figure: Figure = { bench: "verify", metric: "hookbus / floor", value, unit: "×", noise };
  return verdictOn({ ...GOAL, comparison }, [figure]).met;
}

describe("the goals of the benches", () => {
  it("take a figure that stands at the goal, but for one that is to be below", () => {
    expect(met("at most", 1)).to.equal(true);
    expect(met("at most", 1.001)).to.equal(false);
    expect(met("at least", 1)).to.equal(true);
    expect(met("at least", 0.999)).to.equal(false);
    expect(met("below", 1)).to.equal(false);
    expect(met("below", 0.999)).to.equal(true);
  });

  it("call a rival behind only by more than all of the noise", () => {
    expect(met("below by more than the noise", 0.97, 0.02)).to.equal(true);
    expect(met("below by more than the noise", 0.97, 0.03)).to.equal(false);
    expect(met("above by more than the noise", 1.11, 0.1)).to.equal(true);
    // A noisy run is no reason to call less a lead.
    expect(met("above by more than the noise", 1.11, 0.24)).to.equal(false);
  });

  it("excuse a tenth at the most by the noise", () => {
    expect(met("at most, within the noise", 1.02, 0.02)).to.equal(true);
    expect(met("at most, within the noise", 1.02, 0.01)).to.equal(false);
    expect(met("at most, within the noise", 1.11, 0.5)).to.equal(false);
    expect(met("at least, within the noise", 0.91, 0.5)).to.equal(true);
    expect(met("at least, within the noise", 0.89, 0.5)).to.equal(false);
  });

  it("are not met where the noise that they speak of is not known", () => {
    const unknown = [undefined, Number.NaN];
    for (const noise of unknown) {
      expect(met("below by more than the noise", 0.1, noise)).to.equal(false);
      expect(met("above by more than the noise", 9, noise)).to.equal(false);
      expect(met("at most, within the noise", 0.1, noise)).to.equal(false);
      expect(met("at least, within the noise", 9, noise)).to.equal(false);
    }
  });

  it("are not met by what was not measured", () => {
    expect(verdictOn({ ...GOAL, comparison: "at most" }, []).met).to.equal(false);
    expect(met("at most", Number.NaN)).to.equal(false);
    expect(met("at least", Number.NaN)).to.equal(false);
  });

  it("are told in words", () => {
    expect(aimOf({ comparison: "at most", figure: 1.2 })).to.equal("at most 1.2");
    expect(aimOf({ comparison: "at most, within the noise", figure: 1 })).to.equal("at most 1, within the noise");
    expect(aimOf({ comparison: "above by more than the noise", figure: 1 })).to.equal("above 1 by more than the noise");
  });
});
