import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const BINARY = process.env["HOOKBUS_TEST_REDIS_SERVER"] ?? "redis-server";

let told = false;

/**
 * In a `before` hook: ends the suite as pending where the program `redis-server` is not installed; with
 * `HOOKBUS_TEST_REQUIRE=1` it fails instead.
 */
export function needRedisServer(suite: Mocha.Context): void {
  if (spawnSync(BINARY, ["--version"]).status === 0) return;
  const how = "install redis-server, or name its path by HOOKBUS_TEST_REDIS_SERVER";
  if (process.env["HOOKBUS_TEST_REQUIRE"]) throw new Error(`redis-server cannot be run: ${how}`);
  if (!told) console.log(`    redis-server cannot be run, so its specs are pending: ${how}`);
  told = true;
  suite.skip();
}

/** What a server must be set to so that an inbox trusts it. */
const DURABLE = { appendonly: "yes", appendfsync: "always", save: "" };

/** A spec that fails must not leave its servers behind. */
const running = new Set<ChildProcess>();
let watched = false;

function watch(): void {
  if (watched) return;
  watched = true;
  process.once("exit", () => {
    for (const child of running) child.kill("SIGKILL");
  });
}

/** A Redis server of a spec's own, to be killed and started again: its port and its files stay the same. */
export class RedisServerProcess {
  readonly port: number;
  readonly #dir: string;
  readonly #settings: Readonly<Record<string, string>>;
  #process: ChildProcess | undefined;

  /** Starts a server that writes everything to its disk before it answers, but for what `settings` says. */
  static async start(settings: Readonly<Record<string, string>> = {}): Promise<RedisServerProcess> {
    const server = await RedisServerProcess.down(settings);
    await server.start();
    return server;
  }

  /** A server that is not running yet. */
  static async down(settings: Readonly<Record<string, string>> = {}): Promise<RedisServerProcess> {
    const dir = await mkdtemp(join(tmpdir(), "hookbus-redis-"));
    return new RedisServerProcess(await freePort(), dir, { ...DURABLE, ...settings });
  }

  private constructor(port: number, dir: string, settings: Readonly<Record<string, string>>) {
    this.port = port;
    this.#dir = dir;
    this.#settings = settings;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Resolves once it takes connections. */
  async start(): Promise<void> {
    const settings = { ...this.#settings, port: String(this.port), bind: "127.0.0.1", dir: this.#dir };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    const child = spawn(BINARY, args, { stdio: ["ignore", "pipe", "ignore"] });
    this.#process = child;
    watch();
    running.add(child);
    child.once("exit", () => running.delete(child));
    for await (const line of createInterface({ input: child.stdout })) {
      if (!line.includes("Ready to accept connections")) continue;
      child.stdout.resume();
      return;
    }
    throw new Error(`redis-server did not start on port ${this.port}`);
  }

  /** Ends it without a chance to write anything, as a lost machine would. Resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  /** Ends it for good, and removes its files. */
  async remove(): Promise<void> {
    await this.kill();
    await rm(this.#dir, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
