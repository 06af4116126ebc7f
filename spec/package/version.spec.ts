import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { ROOT } from "./stage.ts";

const { version, repository, engines, peerDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const changelog = readFileSync(join(ROOT, "CHANGELOG.md"), "utf8");

describe("the changelog", () => {
  const entries = [...changelog.matchAll(/^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d{2}-\d{2})$/gm)];

  it("begins with an entry for the version in package.json", () => {
    expect(entries[0]?.[1]).to.equal(version);
  });

  it("says under each entry what users get", () => {
    const sections = changelog.split(/^## /m).slice(1);
    for (const section of sections.filter((text) => text.startsWith("["))) {
      expect(section, section.slice(0, 20)).to.match(/^### (Added|Changed|Deprecated|Removed|Fixed|Security)\n\n- /m);
    }
  });

  it("links each entry to its release", () => {
    const home = repository.url.replace(/^git\+|\.git$/g, "");
    for (const [, number] of entries) expect(changelog).to.include(`[${number}]: ${home}/releases/tag/v${number}`);
  });

  it("has its entries from new to old", () => {
    const dates = entries.map(([, , date]) => date ?? "");
    expect(dates).to.deep.equal([...dates].sort().reverse());
  });
});

describe("the versions in the README", () => {
  const [, section = ""] = /^## Versions\n([\s\S]*?)^## /m.exec(readFileSync(join(ROOT, "README.md"), "utf8")) ?? [];

  it("begin with the oldest Node in package.json", () => {
    expect(section).to.include(`Node ${engines.node.replace(">=", "")} or later`);
  });

  for (const [peer, range] of Object.entries<string>(peerDependencies)) {
    it(`are those of the peer ${peer}`, () => {
      const [, from = "", below] = /^>=([\d.]+) <(\d+)$/.exec(range) ?? [];
      const last = Number(below) - 1;
      const more = Number.parseInt(from, 10) === last ? "" : ` ${from.includes(".") ? "and" : "to"} ${last}`;
      const wording = `${from}${from.includes(".") ? " or later" : ""}${more}`;
      expect(section.toLowerCase()).to.include(`${peer} ${wording}`);
    });
  }
});
