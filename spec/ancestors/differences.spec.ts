import { readFileSync } from "node:fs";
import { expect } from "chai";

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");

/** The rows of the gems' specs, and the cases that they leave out. */
const ROWS: Readonly<Record<string, readonly string[]>> = {
  "library-rows.ts": [...numbered("A", 17), "A6b", "A6c", "A12b"],
  "stripe-event.spec.ts": [
    ...numbered("B", 17),
    "B9b",
    "B16b",
    ...numbered("L", 13),
    "L3b",
    "L3c",
    ...numbered("D", 15),
  ],
  "conekta-event.spec.ts": [...numbered("C", 8), "C3b", "D16", "D17"],
};

function numbered(letter: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${letter}${index + 1}`);
}

/** The ids of a file's specs, and of those whose titles say that they differ. */
function idsIn(name: string): { readonly all: string[]; readonly differing: string[] } {
  const text = read(name);
  const titles = [...text.matchAll(/\bit\(\s*"([A-Z]\d+[a-z]?): ([^"]*)"/g)].map(([, id = "", title = ""]) => ({
    id,
    title,
  }));
  // Rows that come in two, one for functions and one for objects, have their ids in a list.
  const paired = [...text.matchAll(/title\(\["([A-Z]\d+)", "([A-Z]\d+)"\]/g)].flatMap(([, one = "", two = ""]) => [
    one,
    two,
  ]);
  return {
    all: [...titles.map(({ id }) => id), ...paired],
    differing: titles.filter(({ title }) => title.includes("where the gem")).map(({ id }) => id),
  };
}

describe("the rows of the gems' specs", () => {
  for (const [name, rows] of Object.entries(ROWS)) {
    it(`are each one spec of ${name}`, () => {
      expect(idsIn(name).all.sort()).to.deep.equal([...rows].sort());
    });
  }

  it("that differ are those of the list of differences", () => {
    const listed = [...read("differences.md").matchAll(/^\| ([A-Z]\d+[a-z]?) \| /gm)].map(([, id]) => id);
    const named = Object.keys(ROWS).flatMap((name) => idsIn(name).differing);
    expect(listed.sort()).to.deep.equal(named.sort());
    expect(listed).to.have.length.above(20);
  });
});
