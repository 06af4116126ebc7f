import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import ts from "typescript";
import { ROOT } from "./stage.ts";

const { exclude, ...config } = JSON.parse(readFileSync(join(ROOT, ".c8rc.json"), "utf8")) as {
  readonly all: boolean;
  readonly exclude: readonly string[];
  readonly lines: number;
};

const SOURCES = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .map((path) => `src/${path.replaceAll("\\", "/")}`);

/** What is left to run of a source: of one with nothing but types, nothing. */
function statementsOf(path: string): string {
  const { outputText } = ts.transpileModule(readFileSync(join(ROOT, path), "utf8"), {
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      removeComments: true,
    },
  });
  return outputText.replace("export {};", "").trim();
}

describe("the coverage of lines", () => {
  it("counts sources that no spec loads, and asks for 95 %", () => {
    expect(config).to.deep.include({ all: true, lines: 95 });
  });

  for (const pattern of exclude) {
    it(`leaves out nothing that could run, by ${pattern}`, () => {
      const [before = "", after] = pattern.split("*");
      const left = SOURCES.filter((path) =>
        after === undefined ? path === pattern : path.startsWith(before) && path.endsWith(after),
      );
      expect(left).not.to.deep.equal([]);
      for (const path of left) {
        // What hands on another source's names has nothing of its own to run.
        expect(statementsOf(path).replaceAll(/^export \{.*\} from ".*";$/gm, ""), path).to.equal("");
      }
    });
  }
});
