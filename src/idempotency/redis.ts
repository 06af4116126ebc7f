import { randomUUID } from "node:crypto";
import { type RedisClient, type RedisOptions, RedisServer } from "../databases/redis.ts";
import { assertCount } from "../databases/time-limit.ts";
import { ConfigurationError, StaleTokenError } from "../errors.ts";
import { CLAIM, COMPLETE, EXTEND, MARK, RELEASE } from "./redis-scripts.ts";
import type { Claim, ClaimOptions, ClaimToken, IdempotencyStore } from "./store.ts";

export interface RedisIdempotencyOptions extends RedisOptions {
  /**
   * What the keys on the server begin with.
   * @default "hookbus:idempotency"
   */
  readonly prefix?: string | undefined;
  /**
   * The clock, in milliseconds since 1970, by which leases run out.
   * @default the server's, which all processes share
   */
  readonly now?: (() => number) | undefined;
  /**
   * How long a key is kept after it was handled or given back, in milliseconds by the server's clock: longer than the
   * provider retries.
   * @default 7_776_000_000, ninety days
   */
  readonly ttlMs?: number | undefined;
}

export type { RedisClient, RedisIdempotency };

/**
 * Remembers events in Redis, for any number of processes and machines. The client is yours, connected and closed by you.
 * On a cluster every event is one key, so that all of it is on one node.
 *
 * Throws `ConfigurationError` for a `client` or setting that cannot be used. Calls reject with `ConfigurationError` where
 * the server may forget what it was told, without `allowVolatile`, and with `StoreUnavailableError` where it does not
 * answer within `timeoutMs`.
 */
export function redisIdempotency(options: RedisIdempotencyOptions): RedisIdempotency {
  const { prefix = "hookbus:idempotency", now, ttlMs = 90 * 24 * 60 * 60 * 1000 } = options;
  if (typeof prefix !== "string" || prefix === "") throw new ConfigurationError("`prefix` must be a text");
  assertCount("ttlMs", ttlMs);
  return new RedisIdempotency(new RedisServer(options), prefix, now, ttlMs);
}

class RedisIdempotency implements IdempotencyStore {
  readonly volatile = false;
  readonly #server: RedisServer;
  readonly #prefix: string;
  readonly #now: (() => number) | undefined;
  readonly #ttlMs: number;

  constructor(server: RedisServer, prefix: string, now: (() => number) | undefined, ttlMs: number) {
    this.#server = server;
    this.#prefix = prefix;
    this.#now = now;
    this.#ttlMs = ttlMs;
  }

  async claim(key: string, { leaseMs, fingerprint }: ClaimOptions): Promise<Claim> {
    const fence = randomUUID();
    const values = [fence, this.#time(), lease(leaseMs), String(this.#ttlMs), fingerprint];
    const reply = await this.#server.run(CLAIM, this.#at(key), values);
    // Some clients are set up to give buffers.
    const [state, ...rest] = (reply as unknown[]).map(String);
    if (state === "claimed") return { state, token: { key, fence }, done: rest };
    return state === "done" ? { state, fingerprint: rest[0] ?? "" } : { state: "busy" };
  }

  async extend(token: ClaimToken, leaseMs: number): Promise<void> {
    await this.#run(EXTEND, token, [this.#time(), lease(leaseMs), String(this.#ttlMs)]);
  }

  async markDone(token: ClaimToken, subscriber: string): Promise<void> {
    await this.#run(MARK, token, [subscriber]);
  }

  async complete(token: ClaimToken): Promise<void> {
    await this.#run(COMPLETE, token, [String(this.#ttlMs)]);
  }

  async release(token: ClaimToken): Promise<void> {
    await this.#run(RELEASE, token, [String(this.#ttlMs)]);
  }

  ping(): Promise<void> {
    return this.#server.ping();
  }

  close(): void {
    // The client is the user's.
  }

  /** Runs a script that answers 1, or 0 where the fence is not that of the live claim. */
  async #run(script: typeof MARK, { key, fence }: ClaimToken, values: readonly string[]): Promise<void> {
    const reply = await this.#server.run(script, this.#at(key), [fence, ...values]);
    if (Number(reply) === 1) return;
    throw new StaleTokenError(`the claim of "${key}" is over, or another run holds the key`);
  }

  #at(key: string): string {
    return `${this.#prefix}:${key}`;
  }

  /** Empty where the server's own clock counts. */
  #time(): string {
    return this.#now ? String(Math.floor(this.#now())) : "";
  }
}

function lease(leaseMs: number): string {
  return String(Math.ceil(leaseMs));
}
