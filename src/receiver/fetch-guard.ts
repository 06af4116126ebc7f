import type { IPolicy } from "cockatiel";
import { LRUCache } from "lru-cache";
import { ProviderUnavailableError, UnknownEventError } from "../errors.ts";

/** The package, which is loaded when it is needed. */
export type Cockatiel = typeof import("cockatiel");

/** How hard a bus may press the provider's API. */
export interface RetrievalLimits {
  /** How long one retrieval may take, a custom retriever included; default 10 000. */
  readonly timeoutMs: number;
  /** Calls at once; default 10. Senders that have not yet posted a genuine id get a lane of their own, as wide. */
  readonly concurrent: number;
  /** Calls that may wait behind those; default 100. What comes then is sent away with 503. */
  readonly waiting: number;
  /** For how long an unknown id is not asked for again; default 10 000. */
  readonly unknownForMs: number;
  /** Outages in a row that open the circuit of an account; default 5. */
  readonly outages: number;
  /** For how long it stays open; default 10 000. */
  readonly openForMs: number;
}

export const DEFAULT_RETRIEVAL_LIMITS: RetrievalLimits = {
  timeoutMs: 10_000,
  concurrent: 10,
  waiting: 100,
  unknownForMs: 10_000,
  outages: 5,
  openForMs: 10_000,
};

/** Accounts and senders are named by deliveries: no more than this many are remembered. */
const REMEMBERED = 1_000;

/** How much longer a custom retriever may take than the fetch-back in it, which must be the first to give up. */
const GRACE_MS = 250;

/**
 * Keeps calls to a provider's API bounded: a timeout, a circuit breaker per account, and two lanes, so that a flood of
 * made-up ids from strangers does not hold up senders whose ids have turned out genuine.
 */
export class FetchGuard {
  readonly #cockatiel: Cockatiel;
  readonly #limits: RetrievalLimits;
  readonly #circuits = new LRUCache<string, IPolicy>({ max: REMEMBERED });
  readonly #genuine = new LRUCache<string, true>({ max: REMEMBERED });
  readonly #lanes: { readonly genuine: IPolicy; readonly strangers: IPolicy };
  /** How many retrievals each stranger has in the lane. */
  readonly #strangers = new Map<string, number>();
  /** Failures that were counted where they happened, or are none of the API's. */
  readonly #counted = new WeakSet<Error>();

  constructor(cockatiel: Cockatiel, limits: RetrievalLimits) {
    this.#cockatiel = cockatiel;
    this.#limits = limits;
    this.#lanes = {
      genuine: cockatiel.bulkhead(limits.concurrent, limits.waiting),
      strangers: cockatiel.bulkhead(limits.concurrent, limits.waiting),
    };
  }

  /** Waits for a free place in the sender's lane. A trusted call has no `sender`. */
  async inLane<T>(sender: string | undefined, call: () => Promise<T>): Promise<T> {
    if (sender === undefined) return this.#translated(() => this.#lanes.genuine.execute(call));
    try {
      const result = await (this.#genuine.has(sender)
        ? this.#translated(() => this.#lanes.genuine.execute(call))
        : this.#asStranger(sender, call));
      this.#genuine.set(sender, true);
      return result;
    } catch (error) {
      // A proxy's address may stand for the provider and for strangers.
      if (error instanceof UnknownEventError) this.#genuine.delete(sender);
      throw error;
    }
  }

  /**
   * Runs `call` under the timeout and the breaker of `circuit`. Only outages count against it: see `isOutage`.
   *
   * @param around whether `call` is a custom retriever, which may have guarded calls of its own inside.
   */
  async guarded<T>(circuit: string, call: (signal: AbortSignal) => Promise<T>, around = false): Promise<T> {
    // Cockatiel's own default is one signal for all, which Node takes for a leak when more than ten calls listen to it.
    const parent = new AbortController().signal;
    return this.#translated(() => this.#circuit(circuit, around).execute(({ signal }) => call(signal), parent));
  }

  /** One stranger fills half of the lane at most: the other half is for whoever else comes meanwhile. */
  async #asStranger<T>(sender: string, call: () => Promise<T>): Promise<T> {
    return this.#translated(async () => {
      const { concurrent, waiting } = this.#limits;
      const underway = this.#strangers.get(sender) ?? 0;
      if (underway >= (concurrent + waiting) / 2) throw new this.#cockatiel.BulkheadRejectedError(concurrent, waiting);
      this.#strangers.set(sender, underway + 1);
      try {
        return await this.#lanes.strangers.execute(call);
      } finally {
        const left = (this.#strangers.get(sender) as number) - 1;
        if (left === 0) this.#strangers.delete(sender);
        else this.#strangers.set(sender, left);
      }
    });
  }

  #circuit(name: string, around: boolean): IPolicy {
    let policy = this.#circuits.get(name);
    if (!policy) {
      const { outages, openForMs, timeoutMs } = this.#limits;
      const { circuitBreaker, ConsecutiveBreaker, handleWhen, TimeoutStrategy, timeout, wrap } = this.#cockatiel;
      const counts = handleWhen((error) => this.#isOutage(error) && !this.#counted.has(error));
      policy = wrap(
        circuitBreaker(counts, { halfOpenAfter: openForMs, breaker: new ConsecutiveBreaker(outages) }),
        timeout(timeoutMs + (around ? GRACE_MS : 0), TimeoutStrategy.Aggressive),
      );
      this.#circuits.set(name, policy);
    }
    return policy;
  }

  /** Gives the guard's own refusals the names that the receiver knows. */
  async #translated<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (cause) {
      const error = this.#translation(cause);
      if (error instanceof ProviderUnavailableError) this.#counted.add(error);
      throw error;
    }
  }

  /** An unknown id, a refused key or a 429 says that the API is up; an error of the user's own says nothing of it. */
  #isOutage(error: unknown): boolean {
    const timedOut = error instanceof this.#cockatiel.TaskCancelledError;
    return timedOut || (error instanceof ProviderUnavailableError && !error.rateLimited);
  }

  #translation(cause: unknown): unknown {
    const { TaskCancelledError, BrokenCircuitError, BulkheadRejectedError } = this.#cockatiel;
    const { timeoutMs, openForMs } = this.#limits;
    if (cause instanceof TaskCancelledError) {
      return new ProviderUnavailableError(`retrieval took longer than ${timeoutMs} ms`, { cause });
    }
    if (cause instanceof BrokenCircuitError) {
      const retryAfterSeconds = openForMs / 1_000;
      return new ProviderUnavailableError("the provider's API keeps failing: not asked", { cause, retryAfterSeconds });
    }
    if (cause instanceof BulkheadRejectedError) {
      return new ProviderUnavailableError("too many retrievals wait already", { cause, retryAfterSeconds: 1 });
    }
    return cause;
  }
}
