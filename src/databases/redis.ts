import { createHash } from "node:crypto";
import { ConfigurationError } from "../errors.ts";
import { assertKeeps, isForbidden } from "./redis-durability.ts";
import { assertCount, timeLimit } from "./time-limit.ts";

/** What hookbus uses of a client of `ioredis`, a `Redis` or a `Cluster`. */
export interface IoredisClient {
  evalsha(sha1: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>;
  eval(script: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>;
  info(): Promise<unknown>;
  ping(): Promise<unknown>;
}

/** What hookbus uses of a client of `redis`, made by `createClient`, `createCluster` or `createSentinel`. */
interface NodeRedisClient {
  evalSha(sha1: string, options: ScriptOptions): Promise<unknown>;
  eval(script: string, options: ScriptOptions): Promise<unknown>;
  info(): Promise<unknown>;
  ping(): Promise<unknown>;
}

interface ScriptOptions {
  keys: string[];
  arguments: string[];
}

export type RedisClient = IoredisClient | NodeRedisClient;

export interface RedisOptions {
  /** A client of `ioredis` or of `redis`, which you have connected. It is yours: hookbus never ends it. */
  readonly client: RedisClient;
  /** A server that may lose what it was told, without `appendonly yes` or with eviction, is refused without it. */
  readonly allowVolatile?: boolean | undefined;
  /**
   * How long an answer of the server's is waited for, in milliseconds; what the client makes of it is its own affair.
   * @default 5000
   */
  readonly timeoutMs?: number | undefined;
}

/** A script in Lua: all or nothing, and nobody gets between its commands. Reads one key, `KEYS[1]`. */
export interface RedisScript {
  readonly text: string;
  readonly sha1: string;
}

export function redisScript(text: string): RedisScript {
  return { text, sha1: createHash("sha1").update(text).digest("hex") };
}

/** A Redis server, by way of the user's client. */
export class RedisServer {
  readonly #client: RedisClient;
  readonly #allowVolatile: boolean;
  readonly #timeoutMs: number;
  #durable: Promise<void> | undefined;

  constructor({ client, allowVolatile = false, timeoutMs = 5_000 }: RedisOptions) {
    if (!isIoredis(client) && !isNodeRedis(client)) {
      throw new ConfigurationError("`client` must be a client of the package ioredis or redis");
    }
    assertCount("timeoutMs", timeoutMs);
    this.#client = client;
    this.#allowVolatile = allowVolatile;
    this.#timeoutMs = timeoutMs;
  }

  async run(script: RedisScript, key: string, values: readonly string[]): Promise<unknown> {
    await this.#open();
    return this.#inTime(this.#evaluated(script, key, values));
  }

  async ping(): Promise<void> {
    await this.#open();
    await this.#inTime(this.#client.ping());
  }

  async #evaluated(script: RedisScript, key: string, values: readonly string[]): Promise<unknown> {
    try {
      return await evaluate(this.#client, "sha1", script, key, values);
    } catch (error) {
      // The server was restarted, or has never seen the script.
      if (!String((error as Error | undefined)?.message).startsWith("NOSCRIPT")) throw error;
      return evaluate(this.#client, "text", script, key, values);
    }
  }

  #open(): Promise<void> | undefined {
    if (this.#allowVolatile) return undefined;
    // A second may be lost with the server, `appendfsync everysec`: what was handled in it runs again if it is delivered
    // again. To ask for more would take `CONFIG GET`, which many providers of Redis forbid.
    this.#durable ??= this.#inTime(this.#client.info())
      .then((info) => assertKeeps(String(info)), refuseSilence)
      .catch((error: unknown) => {
        // The next call asks again: the server may be up by then, or set up.
        this.#durable = undefined;
        throw error;
      });
    return this.#durable;
  }

  #inTime<T>(answer: Promise<T>): Promise<T> {
    return timeLimit(answer, this.#timeoutMs, "Redis");
  }
}

function evaluate(
  client: RedisClient,
  by: "sha1" | "text",
  script: RedisScript,
  key: string,
  values: readonly string[],
): Promise<unknown> {
  if (isNodeRedis(client)) {
    const options = { keys: [key], arguments: [...values] };
    return by === "sha1" ? client.evalSha(script.sha1, options) : client.eval(script.text, options);
  }
  return by === "sha1" ? client.evalsha(script.sha1, 1, key, ...values) : client.eval(script.text, 1, key, ...values);
}

function isIoredis(client: RedisClient | undefined): client is IoredisClient {
  return typeof (client as IoredisClient | undefined)?.evalsha === "function";
}

function isNodeRedis(client: RedisClient | undefined): client is NodeRedisClient {
  return typeof (client as NodeRedisClient | undefined)?.evalSha === "function";
}

/** A server that does not let itself be asked may be of either kind. */
function refuseSilence(cause: unknown): never {
  if (!isForbidden(cause)) throw cause;
  const message =
    "this Redis server does not say whether it keeps what it is told: allow `INFO`, or set `allowVolatile: true`";
  throw new ConfigurationError(message, { cause });
}
