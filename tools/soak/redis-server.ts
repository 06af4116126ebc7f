import { type ChildProcess, spawn } from "node:child_process";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";

/** How long a server may take to answer, in milliseconds: it reads its whole append-only file first. */
const READY_MS = 20_000;

type Settings = Readonly<Record<`--${string}`, string>>;

/** A Redis server of the soak's own, which keeps what it acknowledges and may be killed. */
export class RedisServer {
  readonly port: number;
  readonly #folder: string;
  readonly #more: Settings;
  #keeper: ChildProcess | undefined;

  private constructor(port: number, folder: string, more: Settings) {
    this.port = port;
    this.#folder = folder;
    this.#more = more;
  }

  /** Starts a server on a free port, with its files in `folder`; with further settings, if any. */
  static async start(folder: string, more: Settings = {}): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), folder, more);
    await server.#start();
    return server;
  }

  /** Kills it, and starts it again on the same port with the same files. Resolves when it answers. */
  async restart(): Promise<void> {
    await this.kill();
    await this.#start();
  }

  async kill(): Promise<void> {
    const keeper = this.#keeper;
    this.#keeper = undefined;
    if (!keeper) return;
    const closed = new Promise<void>((resolve) => keeper.once("close", () => resolve()));
    keeper.stdin?.end();
    await closed;
  }

  async #start(): Promise<void> {
    // A shell keeps it, and kills it when its own input ends: at our word, and when this process is no more.
    const keep = 'redis-server "$@" >/dev/null 2>&1 & server=$!; cat >/dev/null; kill -9 $server; wait $server';
    const settings = {
      "--bind": "127.0.0.1",
      "--port": String(this.port),
      "--dir": this.#folder,
      "--appendonly": "yes",
      "--appendfsync": "always",
      // What is appended is all there is: no snapshot hides a gap in it.
      "--save": "",
      "--maxmemory-policy": "noeviction",
      ...this.#more,
    };
    const args = Object.entries(settings).flat();
    this.#keeper = spawn("sh", ["-c", keep, "redis-server", ...args], { stdio: ["pipe", "ignore", "ignore"] });
    await this.#ready();
  }

  async #ready(): Promise<void> {
    const options = { port: this.port, host: "127.0.0.1", lazyConnect: true, retryStrategy: () => null };
    const until = Date.now() + READY_MS;
    for (;;) {
      const client = new Redis(options);
      client.on("error", () => undefined);
      try {
        // Ready means loaded: until then it answers that it is not.
        await client.connect();
        return;
      } catch (cause) {
        if (Date.now() > until) throw new Error("redis-server does not answer: is it installed?", { cause });
        await sleep(50);
      } finally {
        client.disconnect();
      }
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise<void>((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
