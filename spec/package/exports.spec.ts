import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { pages } from "../docs/pages.ts";
import { entryFiles, exportsMap, specifierOf } from "./entries.ts";
import { ROOT, stagedPackage } from "./stage.ts";

describe("the exports of the package", function () {
  this.timeout(60_000);

  it("all lead to files that the build writes", async () => {
    const folder = await stagedPackage();
    const targets = Object.values(exportsMap()).flatMap((target) =>
      typeof target === "string" ? [target] : [target.types, target.default],
    );
    // What stands for the star of a pattern.
    const file = (target: string) => join(folder, target.replace("*", "stripe/charge.succeeded"));
    for (const target of targets) expect(existsSync(file(target)), target).to.equal(true);
  });

  it("give types before code", () => {
    for (const [entry, target] of Object.entries(exportsMap())) {
      if (typeof target !== "string") expect(Object.keys(target), entry).to.deep.equal(["types", "default"]);
    }
  });

  it("hold every subpath that the documentation names", () => {
    const known = Object.keys(exportsMap()).map(specifierOf);
    for (const { name, text } of pages()) {
      for (const [specifier] of text.matchAll(/(?<=["'`])hookbus\/[\w/.-]+(?=["'`])/g)) {
        const named = specifier.replace(/^hookbus\/fixtures\/.+\.json$/, "hookbus/fixtures/*.json");
        expect(known, `${name} names ${specifier}`).to.include(named);
      }
    }
  });

  it("are all in the README's table of entry points", () => {
    const readme = readFileSync(join(ROOT, "README.md"), "utf8");
    const rows = [...readme.matchAll(/^\| `(hookbus[\w/-]*)`/gm)].map(([, specifier]) => specifier);
    expect(rows.sort()).to.deep.equal([...entryFiles().keys()].map(specifierOf).sort());
  });
});
