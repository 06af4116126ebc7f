import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { entryFiles } from "./entries.ts";
import { reachOf } from "./graph.ts";
import { mustRun } from "./run.ts";
import { stagedPackage } from "./stage.ts";

/** The dependencies proper: what a plain install of hookbus brings along. */
const ALLOWED = ["cockatiel", "eventemitter3", "lru-cache"];

describe("what an entry point loads", function () {
  this.timeout(60_000);

  for (const [entry, target] of entryFiles()) {
    it(`is nothing but hookbus, its dependencies and Node, for ${entry}`, async () => {
      const { packages } = reachOf(join(await stagedPackage(), target));
      const foreign = packages.filter((name) => !name.startsWith("node:") && !ALLOWED.includes(name));
      expect(foreign).to.deep.equal([]);
    });
  }

  it("is no provider, for the front door and the adapters", async () => {
    const folder = await stagedPackage();
    for (const entry of [".", "./express", "./fetch", "./node"]) {
      const target = entryFiles().get(entry);
      const { sources } = reachOf(join(folder, target ?? "missing"));
      const providers = sources.filter((file) => /providers\/(?!provider\.ts$|schemes\/)/.test(file));
      expect(sources, entry).not.to.deep.equal([]);
      expect(providers, entry).to.deep.equal([]);
    }
  });

  it("is not the other provider, for a provider", async () => {
    const folder = await stagedPackage();
    const sourcesOf = (provider: string): string => reachOf(join(folder, `dist/${provider}.js`)).sources.join("\n");
    expect(sourcesOf("stripe"))
      .to.match(/providers\/stripe/)
      .and.not.to.match(/providers\/conekta/);
    expect(sourcesOf("conekta"))
      .to.match(/providers\/conekta/)
      .and.not.to.match(/providers\/stripe/);
  });

  it("is none of what Node keeps for later, where no delivery is read yet", async () => {
    const entry = JSON.stringify(pathToFileURL(join(await stagedPackage(), "dist/stripe.js")));
    const program = `const before = [...process.moduleLoadList];
await import(${entry});
console.log(JSON.stringify(process.moduleLoadList.filter((each) => !before.includes(each))));`;
    const { stdout } = await mustRun(process.execPath, ["--input-type=module", "--eval", program], { cwd: tmpdir() });
    const loaded = JSON.parse(stdout) as string[];
    expect(loaded).to.include("NativeModule internal/crypto/hash");
    const late = ["internal/crypto/webcrypto", "internal/file", "zlib", "tty"].map((name) => `NativeModule ${name}`);
    expect(loaded).not.to.include.any.members(late);
  });

  it("is found through files, re-exports and bare imports", async () => {
    const folder = await mkdtemp(join(tmpdir(), "hookbus-graph-"));
    try {
      await writeFile(
        join(folder, "a.js"),
        'import "side-effect"; export * from "./b.js"; export const c = import("late");',
      );
      await writeFile(join(folder, "b.js"), 'export { x } from "re-exported"; import {\n  y,\n} from "imported";');
      const { packages } = reachOf(join(folder, "a.js"));
      expect([...packages].sort()).to.deep.equal(["imported", "re-exported", "side-effect"]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("shows in no type of the front door that a peer would have to be installed for", async () => {
    const folder = await stagedPackage();
    const { packages } = reachOf(join(folder, "dist/index.d.ts"));
    expect(packages.filter((name) => !name.startsWith("node:") && !ALLOWED.includes(name))).to.deep.equal([]);
  });
});
