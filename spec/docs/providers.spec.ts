import { expect } from "chai";
import { generatedPages } from "../../tools/provider-table.ts";
import { page } from "./pages.ts";

describe("the tables of providers", function () {
  // Loads every entry point.
  this.timeout(30_000);

  for (const name of ["README.md", "docs/providers.md"]) {
    it(`are current in ${name}`, () => {
      expect(page(name).text, "run `npm run generate`").to.equal(generatedPages().get(name));
    });
  }

  it("have a row for every provider, with no cell empty but that of the notes", () => {
    const [, rows = ""] = /<!-- providers:.*-->([\s\S]*)<!-- end/.exec(page("docs/providers.md").text) ?? [];
    const cells = rows
      .trim()
      .split("\n")
      .map((row) => row.slice(2, -2).split(" | "));
    expect(cells.length).to.be.greaterThan(3);
    for (const row of cells) {
      expect(row.length, row[0]).to.equal(8);
      for (const cell of row.slice(0, 7)) expect(cell.trim(), row[0]).not.to.equal("");
    }
  });
});
