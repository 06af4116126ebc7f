import { readFileSync } from "node:fs";
import { expect } from "chai";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

interface Trap {
  readonly trap: string;
  readonly spec: string;
  /** Absent where the trap does not apply. */
  readonly where: string | undefined;
}

const TRAPS: readonly Trap[] = [...read("traps.md").matchAll(/^\| (.+?) \| (.+?) \| (?:`(.+?)` )?\|$/gm)]
  .map(([, trap = "", spec = "", where]) => ({ trap, spec, where }))
  .filter(({ spec }) => spec !== "spec" && !/^-+$/.test(spec));

/** So much of a title that is put together must be its own, or it would stand for any. */
const OWN = 10;

/** What a spec file calls its specs: a title that is put together stands for every title that it can become. */
function titlesIn(path: string): readonly RegExp[] {
  const found = read(path).matchAll(/\bit\(\s*(?:"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`)/g);
  return [...found].flatMap(([, plain, template]) => {
    const parts = plain === undefined ? (template as string).split(/\$\{[^}]*\}/) : [plain];
    if (parts.join("").length < OWN) return [];
    const texts = parts.map((part) => part.replaceAll(/\\(.)/g, "$1"));
    return new RegExp(`^${texts.map((text) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".+")}$`);
  });
}

describe("the list of traps", () => {
  it("is as long as what is known of them", () => {
    expect(TRAPS).to.have.length.above(70);
    for (const section of ["other libraries", "Stripe", "Conekta", "Zenkipay", "Kopo Kopo", "GitHub", "Shopify"]) {
      expect(read("traps.md")).to.include(`## Of ${section}\n`);
    }
  });

  for (const where of new Set(TRAPS.flatMap((trap) => trap.where ?? []))) {
    it(`names specs that there are, of ${where}`, () => {
      const titles = titlesIn(where);
      for (const { spec } of TRAPS.filter((trap) => trap.where === where)) {
        expect(
          titles.some((title) => title.test(spec)),
          spec,
        ).to.equal(true);
      }
    });
  }

  it("says of what has no spec why it does not apply", () => {
    for (const { spec, where } of TRAPS) {
      expect(spec.startsWith("does not apply: "), spec).to.equal(where === undefined);
    }
  });

  it("names every spec of traps.spec.ts", () => {
    for (const title of titlesIn("traps.spec.ts")) {
      expect(
        TRAPS.some(({ spec, where }) => where === "traps.spec.ts" && title.test(spec)),
        String(title),
      ).to.equal(true);
    }
  });
});
