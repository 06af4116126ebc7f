import { LRUCache } from "lru-cache";
import { ConfigurationError, StaleTokenError } from "../errors.ts";
import type { Claim, ClaimOptions, ClaimToken, IdempotencyStore } from "./store.ts";

export interface MemoryIdempotencyOptions {
  /**
   * The clock, in milliseconds; only differences count.
   * @default performance.now, which no change of the system's time can move
   */
  readonly now?: (() => number) | undefined;
  /**
   * How many handled or half-done keys are remembered; the least recently asked for goes first. Live claims come on
   * top and are never dropped.
   * @default 100_000
   */
  readonly maxKeys?: number | undefined;
  /**
   * How long a handled or half-done key is remembered, in milliseconds.
   * @default 604_800_000, seven days
   */
  readonly ttlMs?: number | undefined;
}

interface LiveClaim {
  readonly fence: string;
  readonly fingerprint: string;
  /** Absent until the first mark: most events have few subscribers and no failure. */
  marks: string[] | undefined;
  leaseEnd: number;
}

/** A key given back with marks. */
interface HalfDone {
  readonly fingerprint: string;
  readonly marks: readonly string[];
}

/** Up to here, claims whose lease ran out stay until their key is claimed anew. */
const SWEEP_ABOVE = 1_000;

/**
 * Remembers events within this process: for one instance that may forget with a restart, and for specs.
 *
 * Every call answers at once, no promises. A run whose lease ran out keeps its right to the key until another claim
 * takes the key, or until more than a thousand claims are live and the dead ones among them are swept out.
 *
 * Throws `ConfigurationError` for a `maxKeys` or `ttlMs` that is not a whole number above zero.
 */
export function memoryIdempotency(options: MemoryIdempotencyOptions = {}): MemoryIdempotency {
  const { now = () => performance.now(), maxKeys = 100_000, ttlMs = 7 * 24 * 60 * 60 * 1000 } = options;
  assertCount("maxKeys", maxKeys);
  assertCount("ttlMs", ttlMs);
  return new MemoryIdempotency(now, maxKeys, ttlMs);
}

export type { MemoryIdempotency };

class MemoryIdempotency implements IdempotencyStore {
  readonly volatile = true;
  readonly #now: () => number;
  readonly #live = new Map<string, LiveClaim>();
  /** A handled key holds its bare fingerprint: no object, so that a hundred thousand of them cost little. */
  readonly #settled: LRUCache<string, string | HalfDone>;
  #fences = 0;
  #sweepAt = SWEEP_ABOVE;

  constructor(now: () => number, maxKeys: number, ttlMs: number) {
    this.#now = now;
    this.#settled = new LRUCache<string, string | HalfDone>({
      // Not `max`: that would allocate room for all keys at once, for every bus, before the first event.
      maxSize: maxKeys,
      sizeCalculation: one,
      ttl: ttlMs,
      // No cached clock: it would need a timer.
      ttlResolution: 0,
      // lru-cache takes a start of 0 for "no ttl", and an injected clock may well begin there.
      perf: { now: () => now() + 1 },
    });
  }

  claim(key: string, { leaseMs, fingerprint }: ClaimOptions): Claim {
    const now = this.#now();
    const live = this.#live.get(key);
    if (live !== undefined && live.leaseEnd > now) return { state: "busy" };
    const known = live ?? this.#settled.get(key);
    if (typeof known === "string") return { state: "done", fingerprint: known };
    if (live === undefined && this.#live.size >= this.#sweepAt) this.#sweep(now);
    if (known !== undefined && live === undefined) this.#settled.delete(key);

    this.#fences += 1;
    const claim: LiveClaim = {
      fence: this.#fences.toString(36),
      fingerprint: known?.fingerprint ?? fingerprint,
      marks: known?.marks?.slice(),
      leaseEnd: now + leaseMs,
    };
    this.#live.set(key, claim);
    return { state: "claimed", token: { key, fence: claim.fence }, done: claim.marks?.slice() ?? [] };
  }

  extend(token: ClaimToken, leaseMs: number): void {
    this.#held(token).leaseEnd = this.#now() + leaseMs;
  }

  markDone(token: ClaimToken, subscriber: string): void {
    const claim = this.#held(token);
    claim.marks ??= [];
    if (!claim.marks.includes(subscriber)) claim.marks.push(subscriber);
  }

  complete(token: ClaimToken): void {
    const { fingerprint } = this.#held(token);
    this.#live.delete(token.key);
    this.#settled.set(token.key, fingerprint);
  }

  release(token: ClaimToken): void {
    this.#giveBack(token.key, this.#held(token));
  }

  #held(token: ClaimToken): LiveClaim {
    const claim = this.#live.get(token.key);
    if (claim?.fence === token.fence) return claim;
    throw new StaleTokenError(`the claim of "${token.key}" is over, or another run holds the key`);
  }

  #giveBack(key: string, { fingerprint, marks }: LiveClaim): void {
    this.#live.delete(key);
    // A key without marks is like one never seen.
    if (marks !== undefined) this.#settled.set(key, { fingerprint, marks });
  }

  /** Gives back the claims whose runs vanished. Doubling the next threshold keeps its cost per claim constant. */
  #sweep(now: number): void {
    for (const [key, claim] of this.#live) {
      if (claim.leaseEnd <= now) this.#giveBack(key, claim);
    }
    this.#sweepAt = Math.max(SWEEP_ABOVE, 2 * this.#live.size);
  }
}

const one = (): number => 1;

function assertCount(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value > 0) return;
  throw new ConfigurationError(`\`${name}\` must be a whole number above zero`);
}
