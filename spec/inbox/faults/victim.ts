import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { childEnv } from "../../support/child-env.ts";
import type { Seam, Task } from "../children/sql-worker.ts";

const SCRIPT = fileURLToPath(new URL("../children/sql-worker.ts", import.meta.url));

/** Starts a process that works until it stands still at the seam that it is told. */
export function start(task: Task): ChildProcess {
  return spawn(process.execPath, ["--import", "tsx", SCRIPT, JSON.stringify(task)], {
    stdio: ["ignore", "pipe", "inherit"],
    env: childEnv(),
  });
}

/** Resolves when the process stands still at `seam`; rejects where it ends before. */
export async function reached(child: ChildProcess, seam: Seam): Promise<void> {
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`the worker ended with ${code} before it was ${seam}`);
  });
  ended.catch(() => undefined);
  const said = once(child.stdout as NonNullable<ChildProcess["stdout"]>, "data");
  const [text] = await Promise.race([said, ended]);
  expect(String(text)).to.equal(`at ${seam}\n`);
}

export async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  expect((await ended)[1]).to.equal("SIGKILL");
}
