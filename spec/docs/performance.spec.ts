import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { generatedPerformance } from "../../tools/performance-page.ts";
import { ROOT } from "../package/stage.ts";
import { page } from "./pages.ts";

describe("the page about performance", () => {
  const { text } = page("docs/performance.md");

  it("shows the figures as they were measured last", () => {
    expect(text, "run `npm run generate`").to.equal(generatedPerformance().get("docs/performance.md"));
  });

  it("judges by the goals that there are", () => {
    const read = (path: string) => JSON.parse(readFileSync(join(ROOT, path), "utf8"));
    const goals = read("bench/goals.json") as readonly object[];
    const run = read("bench/results/standing.json") as { goals: readonly Record<string, unknown>[] };
    expect(run.goals.map(({ value: _, met: __, ...goal }) => goal)).to.deep.equal(goals);
  });

  it("names the command, the date and the machine of each run", () => {
    const runs = readdirSync(join(ROOT, "bench/results"));
    const heads = text.match(/^`npm run bench.*`, \d{4}-\d\d-\d\d: Node v[\d.]+, \d+ × .+, \d+ GB\.$/gm);
    expect(heads).to.have.length(runs.length);
  });
});
