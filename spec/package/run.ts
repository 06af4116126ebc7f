import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { childEnv } from "../support/child-env.ts";

export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** After this the process is killed; default 60 s. */
  readonly timeoutMs?: number;
}

export interface Ran {
  /** `null` where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. Does not reject for a failure of the program's own. */
export async function run(program: string, args: readonly string[], options: RunOptions): Promise<Ran> {
  return await start(program, args, options).ended;
}

/** Runs a program that must succeed. */
export async function mustRun(program: string, args: readonly string[], options: RunOptions): Promise<Ran> {
  const ran = await run(program, args, options);
  if (ran.code === 0) return ran;
  throw new Error(`${program} ${args.join(" ")} ended with ${ran.code}\n${ran.stdout}\n${ran.stderr}`);
}

/** A program that is running. */
export class Running {
  readonly ended: Promise<Ran>;
  readonly #child: ChildProcess;
  #stdout = "";
  #stderr = "";

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.ended = once(child, "close").then(([code]) => ({
      code: code as number | null,
      stdout: this.#stdout,
      stderr: this.#stderr,
    }));
  }

  /** Waits until the output holds a match. Rejects when the program ends without one. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    let over = false;
    const end = this.ended.then(() => {
      over = true;
    });
    for (;;) {
      const match = pattern.exec(this.#stdout);
      if (match) return match;
      if (over) throw new Error(`ended without ${pattern}:\n${this.#stdout}\n${this.#stderr}`);
      await Promise.race([end, this.#child.stdout && once(this.#child.stdout, "data")]);
    }
  }

  /** Asks the program to end, as a supervisor does. */
  stop(): Promise<Ran> {
    this.#child.kill("SIGTERM");
    return this.ended;
  }
}

/** Starts a program and leaves it running, for no longer than the time-out. */
export function start(program: string, args: readonly string[], options: RunOptions): Running {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: childEnv(options.env),
    stdio: ["ignore", "pipe", "pipe"],
    timeout: options.timeoutMs ?? 60_000,
    killSignal: "SIGKILL",
  });
  return new Running(child);
}
