import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { mustRun } from "./package/run.ts";
import { ROOT, tsc } from "./package/stage.ts";
import { exportedProviders } from "./providers/exported.ts";

/**
 * Type instantiations of spec/types/all-buses.ts, when they were last looked at (TypeScript 7.0.2).
 *
 * Whoever goes over the budget for a good reason writes the new number here. By far the most are Stripe's, which has 600 types; some 1,500 to 3,500 come with every provider.
 */
const MEASURED = 100_470;

const BUDGET = Math.floor(MEASURED * 1.15);

describe("the types of all buses together", () => {
  const source = (...path: string[]) => readFileSync(join(ROOT, ...path), "utf8");

  it("are all looked at", () => {
    const used = source("spec", "types", "all-buses.ts");
    const entries = readdirSync(join(ROOT, "src")).filter((file) => file.endsWith(".ts"));
    const buses = entries.flatMap((file) =>
      [...source("src", file).matchAll(/^export const (\w+): \w+ = new EventBus\(/gm)].map(([, bus]) => bus),
    );
    expect(buses).to.include.members(["StripeEvent", "ConektaEvent"]);
    expect(buses.filter((bus) => !used.includes(`\n${bus}.subscribe(`))).to.deep.equal([]);
    const isUsed = (name: string): boolean => used.includes(`from "../../src/${name}.ts"`);
    expect(exportedProviders().filter((name) => !isUsed(name))).to.deep.equal([]);
  });

  it(`cost the compiler no more than ${BUDGET} instantiations`, async () => {
    // One thread, or the number depends on how the files are dealt out.
    const args = ["--project", "spec/types/all-buses.tsconfig.json", "--singleThreaded", "--extendedDiagnostics"];
    const { stdout } = await mustRun(process.execPath, [tsc(), ...args], { cwd: ROOT });
    const instantiations = Number(/^Instantiations:\s+(\d+)$/m.exec(stdout)?.[1]);
    expect(instantiations).to.be.greaterThan(0).and.to.be.at.most(BUDGET);
  }).timeout(120_000);
});
