import { cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { type Ran, run } from "../package/run.ts";
import { ROOT, stagedPackage, tsc } from "../package/stage.ts";
import { rsaPair } from "../providers/keys.ts";
import { type Snippet, snippets } from "./snippets.ts";

const CONFIG = {
  compilerOptions: {
    target: "es2023",
    lib: ["es2023", "esnext.disposable"],
    module: "nodenext",
    moduleDetection: "force",
    types: ["node"],
    strict: true,
    rewriteRelativeImportExtensions: true,
    rootDir: ".",
    outDir: "out",
  },
  include: ["*.ts"],
};

const AT_ONCE = 4;

describe("the snippets of the documentation", function () {
  this.timeout(120_000);

  const all = snippets();
  let cwd: string;
  let complaints: string;
  const runs = new Map<Snippet, Promise<Ran>>();

  before(async () => {
    cwd = await stagedPackage();
    const folder = join(cwd, "snippets");
    await mkdir(folder);
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(CONFIG));
    await cp(join(ROOT, "spec/readme/support.ts"), join(folder, "support.ts"));
    await cp(join(ROOT, "spec/support/setup.ts"), join(folder, "setup.ts"));
    for (const { file, code } of all) await writeFile(join(folder, `${file}.ts`), code);
    complaints = (await run(process.execPath, [tsc(), "--project", folder], { cwd })).stdout;
    runAll();
  });

  function runAll(): void {
    const { publicPem, privatePem } = rsaPair(2048);
    const env = {
      PORT: "0",
      STRIPE_SIGNING_SECRET: "whsec_of_the_snippets",
      STRIPE_SIGNING_SECRET_OLD: "whsec_of_last_month",
      GITHUB_WEBHOOK_SECRET: "It's a Secret to Everybody",
      ACME_SECRET: "acme_secret",
      BRAINTREE_KEYS: "public:private",
      STRIPE_SIGNING_SECRET_MX: "whsec_of_the_other_account",
      STRIPE_API_KEY: "sk_test_of_the_snippets",
      CONEKTA_API_KEY: "key_of_the_snippets",
      CONEKTA_PRIVATE_SIGNATURE: privatePem,
      CONEKTA_WEBHOOK_KEY: publicPem,
      WEBHOOK_PASSWORD: "a password of the snippets",
    };
    // As many chains as processes may run at once.
    const chains: Promise<unknown>[] = Array.from({ length: AT_ONCE }, () => Promise.resolve());
    const out = join(cwd, "snippets/out");
    for (const [index, snippet] of all.entries()) {
      const args = ["--import", pathToFileURL(join(out, "setup.js")).href, join(out, `${snippet.file}.js`)];
      // In a folder of its own: several keep their events in a file of the same name.
      const home = join(cwd, "snippets/runs", snippet.file);
      const ran = chains[index % AT_ONCE]
        ?.then(() => mkdir(home, { recursive: true }))
        .then(() => symlink(join(cwd, "fixtures"), join(home, "fixtures")))
        .then(() => run(process.execPath, args, { cwd: home, env, timeoutMs: 20_000 }));
      if (!ran) continue;
      chains[index % AT_ONCE] = ran;
      runs.set(snippet, ran);
    }
  }

  it("are found, in the README above all", () => {
    expect(all.filter(({ place }) => place.startsWith("README.md")).length).to.be.at.least(15);
  });

  it("are all the code there is in TypeScript", async () => {
    const { pages } = await import("../docs/pages.ts");
    for (const { name, text } of pages()) {
      const blocks = [...text.matchAll(/^```(\w*)\n[\s\S]*?^```$/gm)].map(([, language]) => language);
      const foreign = blocks.filter((language) => !["ts", "sh", "text", "js"].includes(language ?? ""));
      expect(foreign, name).to.deep.equal([]);
    }
  });

  it("compile together with what they share", () => {
    expect(complaints.split("\n").filter((line) => /^snippets\/(setup|support)\.ts/.test(line))).to.deep.equal([]);
  });

  for (const snippet of all) {
    it(`compile and run: ${snippet.place}`, async () => {
      const mine = complaints.split("\n").filter((line) => line.includes(`${snippet.file}.ts(`));
      expect(mine.join("\n")).to.equal("");
      const ran = await runs.get(snippet);
      expect(ran?.code, `${ran?.stdout}\n${ran?.stderr}`).to.equal(0);
    });
  }
});
