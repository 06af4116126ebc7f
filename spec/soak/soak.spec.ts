import { join } from "node:path";
import { expect } from "chai";
import { run } from "../package/run.ts";

const ROOT = join(import.meta.dirname, "..", "..");

const soak = (...args: readonly string[]) =>
  run(process.execPath, ["--import", "tsx", "tools/soak/main.ts", ...args], { cwd: ROOT, timeoutMs: 110_000 });

describe("the soak", function () {
  this.timeout(120_000);

  it("loses nothing and doubles nothing on SQLite, whatever is killed and frozen", async () => {
    const { code, stdout, stderr } = await soak("--inbox", "sqlite", "--events", "60", "--kills", "3", "--seed", "1");
    expect(stdout, stderr).to.match(
      /^acked 60, lost 0, transactional effects doubled 0, subscribers run more than once \d+\n$/,
    );
    expect(code, stderr).to.equal(0);
    expect(stderr).to.match(/^soak of sqlite: 60 events, 3 kills, seed 1\n/);
  });

  it("ends with 2 where it is asked for what cannot be", async () => {
    const { code, stdout, stderr } = await soak("--inbox", "redis", "--break", "mark-outside");
    expect({ code, stdout }).to.deep.equal({ code: 2, stdout: "" });
    expect(stderr).to.include("does not apply to redis");
  });
});
