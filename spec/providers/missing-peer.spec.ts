import { execFile } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";

const SOURCE = fileURLToPath(new URL("../../src/", import.meta.url));
const TSX = import.meta.resolve("tsx");

const SCRIPT = `
import { stripe } from "./src/providers/stripe.ts";
import { conekta } from "./src/providers/conekta.ts";
const options = { apiKey: "key", timeoutMs: 1000, signal: new AbortController().signal, params: {} };
const said = [];
for (const { retrieval } of [stripe(), conekta()]) {
  await retrieval.fetch("evt_1", options).catch((error) => said.push([error.code, error.message]));
}
process.stdout.write(JSON.stringify(said));
`;

describe("without the providers' packages", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "hookbus-"));
    await cp(SOURCE, join(folder, "src"), { recursive: true });
    await writeFile(join(folder, "package.json"), '{"type":"module"}');
    await writeFile(join(folder, "script.ts"), SCRIPT);
  });
  after(() => rm(folder, { recursive: true }));

  it("retrieving says which one to install, and everything else works", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", TSX, "script.ts"], { cwd: folder });
    const sentence = (brand: string, peer: string): string =>
      `Fetching ${brand} events needs the package "${peer}", which is not installed. Run: npm install ${peer}`;
    expect(JSON.parse(stdout)).to.deep.equal([
      ["HOOKBUS_MISSING_PEER", sentence("Stripe", "stripe")],
      ["HOOKBUS_MISSING_PEER", sentence("Conekta", "conekta")],
    ]);
  });
});
