import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect } from "chai";
import { ROOT } from "../package/stage.ts";
import { page, pages } from "./pages.ts";

/** The anchors of a page: GitHub's for its headings, and those written out. */
function anchorsOf(text: string): string[] {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .replace(/<[^>]*>/g, "")
      .toLowerCase()
      .replace(/[^\w\s-]/g, "")
      .trim()
      .replace(/\s/g, "-"),
  );
  const written = [...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = ""]) => id);
  return [...headings, ...written];
}

describe("the documentation", () => {
  for (const { name, text } of [...pages(), page("CHANGELOG.md"), page("fixtures/README.md")]) {
    it(`has no link in ${name} that leads nowhere`, () => {
      const prose = text.replace(/^```[\s\S]*?^```$/gm, "");
      for (const [, target = ""] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^https?:/.test(target)) continue;
        const [path = "", anchor] = target.split("#");
        const file = path === "" ? name : relative(ROOT, join(ROOT, dirname(name), path));
        expect(existsSync(join(ROOT, file)), `${target} of ${name}`).to.equal(true);
        if (anchor === undefined || statSync(join(ROOT, file)).isDirectory()) continue;
        expect(anchorsOf(readFileSync(join(ROOT, file), "utf8")), `${target} of ${name}`).to.include(anchor);
      }
    });
  }

  it("is all linked from the README", () => {
    const { text } = page("README.md");
    for (const { name } of pages().filter((each) => each.name !== "README.md")) expect(text).to.include(`(${name}`);
  });

  for (const { name, text } of pages()) {
    it(`uses in ${name} none of the words that belittle the reader's trouble`, () => {
      const prose = text.replace(/^```[\s\S]*?^```$/gm, "").replace(/`[^`]*`/g, "");
      expect(prose.match(/\b(just|easy|easily|simply|basically|obviously|of course)\b/gi) ?? []).to.deep.equal([]);
    });
  }
});
