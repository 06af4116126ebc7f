import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { expect } from "chai";
import { closeOnSignal } from "../src/shutdown.ts";
import { childEnv } from "./support/child-env.ts";

describe("closeOnSignal", () => {
  let child: ChildProcess;
  let heard: unknown[];

  const start = async (fate: string): Promise<void> => {
    heard = [];
    child = fork(new URL("children/shutdown.ts", import.meta.url), [fate], {
      execArgv: ["--import", "tsx"],
      env: childEnv(),
    });
    child.on("message", (what) => heard.push(what));
    await told((what) => typeof what === "object");
    await told((what) => what === "running");
  };
  const told = async (fits: (what: unknown) => boolean): Promise<unknown> => {
    while (!heard.some(fits)) await once(child, "message");
    return heard.find(fits);
  };
  const ended = async (): Promise<unknown> => (await once(child, "exit"))[1];
  const answers = async (): Promise<boolean> => {
    const { port } = (await told((what) => typeof what === "object")) as { port: number };
    return fetch(`http://127.0.0.1:${port}`).then(
      () => true,
      () => false,
    );
  };

  afterEach(() => child?.kill("SIGKILL"));

  it("takes no more requests, lets what runs finish, and ends by the signal", async () => {
    await start("finishes");
    expect(await answers()).to.equal(true);
    child.kill("SIGTERM");
    while (await answers());
    expect(heard).not.to.include("finished");
    const end = ended();
    child.kill("SIGUSR2");
    expect(await end).to.equal("SIGTERM");
    expect(heard).to.include("finished");
  });

  it("gives up after the grace time on what does not finish", async () => {
    await start("hangs");
    const end = ended();
    child.kill("SIGINT");
    expect(await end).to.equal("SIGINT");
    expect(heard).not.to.include("finished");
  });

  it("ends at once by a second signal", async () => {
    await start("finishes");
    child.kill("SIGTERM");
    while (await answers());
    const end = ended();
    child.kill("SIGTERM");
    expect(await end).to.equal("SIGTERM");
    expect(heard).not.to.include("finished");
  });

  it("closes the others when one cannot be closed, and tells of it", async () => {
    await start("fails");
    const end = ended();
    child.kill("SIGTERM");
    await told((what) => what === "it would not close");
    child.kill("SIGUSR2");
    expect(await end).to.equal("SIGTERM");
    expect(heard).to.include("finished");
  });

  it("can be undone", async () => {
    await start("undone");
    const end = ended();
    child.kill("SIGTERM");
    expect(await end).to.equal("SIGTERM");
    expect(heard).not.to.include("finished");
  });

  it("refuses what cannot be closed", () => {
    for (const closables of [undefined, {}, [undefined], [{}]]) {
      expect(() => closeOnSignal(closables as never)).to.throw(TypeError, "`closables`");
    }
  });
});
