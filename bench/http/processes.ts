import { type ChildProcess, fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

/** Whether processes can be kept to one core each. */
const PINS = availableParallelism() > 1 && spawnSync("taskset", ["-V"]).status === 0;

export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

/** Starts `file` on one core, where that can be done, and gives its first message. */
export async function started<T>(file: string, args: readonly string[], core: number): Promise<[ChildProcess, T]> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const node = ["--import", "tsx"];
  const child = fork(path, args, {
    ...(PINS ? { execPath: "taskset", execArgv: ["-c", String(core), process.execPath, ...node] } : { execArgv: node }),
    stdio: ["ignore", 2, 2, "ipc"],
  });
  child.setMaxListeners(0);
  const [message] = await Promise.race([
    once(child, "message"),
    once(child, "exit").then(() => Promise.reject(new Error(`${file} ${args.join(" ")} ended`))),
  ]);
  return [child, message as T];
}

/** Asks a process, which answers with its next message. */
export async function ask<T>(child: ChildProcess, question: object): Promise<T> {
  const answer = once(child, "message");
  child.send(question);
  const [message] = await answer;
  return message as T;
}
