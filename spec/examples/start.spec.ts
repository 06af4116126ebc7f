import { expect } from "chai";
import { run, start } from "../package/run.ts";
import { stagedPackage } from "../package/stage.ts";

describe("the demo's receiver, kept running", function () {
  this.timeout(90_000);

  it("takes the event that the printed command sends, and ends well on SIGTERM", async () => {
    const cwd = await stagedPackage();
    const receiver = start(process.execPath, ["--import", "tsx", "examples/demo/start.ts"], {
      cwd,
      env: { PORT: "0" },
    });
    try {
      const [, command = ""] = await receiver.printed(/^ {2}(npx .*)\n/m);
      for (const _ of ["first", "second"]) {
        const sent = await run("sh", ["-c", command], { cwd });
        expect(sent.stdout, sent.stderr).to.match(/^charge\.succeeded evt_demo_\d+: 200 \{"received":true\}\n$/);
        expect(sent.code).to.equal(0);
      }
      await receiver.printed(/(stripe: 200 queued evt_demo_\d+\n[\s\S]*){2}/);
      await receiver.printed(/(receipts got charge\.succeeded[\s\S]*){2}/);
    } finally {
      const { code } = await receiver.stop();
      expect(code).to.equal(0);
    }
  });

  it("is missed by the command while it does not run", async () => {
    const cwd = await stagedPackage();
    const args = ["--import", "tsx", "examples/demo/send.ts", "http://127.0.0.1:9/stripe"];
    const { code, stderr } = await run(process.execPath, args, { cwd });
    expect(stderr).to.include("npm start");
    expect(code).to.equal(1);
  });
});
