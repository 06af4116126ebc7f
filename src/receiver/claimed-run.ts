import type { Marks } from "../bus/marks.ts";
import { isThenable } from "../bus/thenable.ts";
import type { Clock } from "../clock.ts";
import { StaleTokenError, StoreUnavailableError } from "../errors.ts";
import type { ClaimToken, IdempotencyStore } from "../idempotency/store.ts";

/** The time between a claim and its end: keeps the lease alive, and remembers what the store did not take. */
export class ClaimedRun implements Marks {
  readonly done: readonly string[];
  readonly transaction?: NonNullable<Marks["transaction"]>;
  readonly markDoneWithin?: NonNullable<Marks["markDoneWithin"]>;
  readonly #store: IdempotencyStore;
  readonly #token: ClaimToken;
  readonly #leaseMs: number;
  readonly #clock: Clock;
  #heartbeat: unknown;
  #over = false;
  #refusal: StaleTokenError | StoreUnavailableError | undefined;

  constructor(
    store: IdempotencyStore,
    { token, done }: { readonly token: ClaimToken; readonly done: readonly string[] },
    leaseMs: number,
    clock: Clock,
  ) {
    this.done = done;
    // Functions that are written right into a property go to V8's old space, and keep from the garbage collector what they
    // know until its next major turn: these are not.
    const transaction = store.transaction?.bind(store);
    const within: Marks["transaction"] = transaction && ((mark, fn) => transaction(token, mark, fn));
    if (within) this.transaction = within;
    const markDoneWithin = store.markDoneWithin?.bind(store);
    const mark: Marks["markDoneWithin"] =
      markDoneWithin && ((subscriber, executor) => markDoneWithin(token, subscriber, executor));
    if (mark) this.markDoneWithin = mark;
    this.#store = store;
    this.#token = token;
    this.#leaseMs = leaseMs;
    this.#clock = clock;
    this.#beat();
  }

  /** Why the store did not take something, if so: then the run must not be acknowledged. */
  get refusal(): StaleTokenError | StoreUnavailableError | undefined {
    return this.#refusal;
  }

  /** Another run has the event by now: whatever is left of it is that run's. */
  get halt(): StaleTokenError | undefined {
    return this.#refusal instanceof StaleTokenError ? this.#refusal : undefined;
  }

  /** Never fails; a promise only where the store has to be waited for. */
  markDone(subscriber: string): void | Promise<void> {
    try {
      const told = this.#store.markDone(this.#token, subscriber);
      if (isThenable(told)) return this.#settled(told);
    } catch (error) {
      this.#refused(error);
    }
  }

  /** Completes the claim, or gives it back for another try. Never fails; a promise only where the store is one. */
  end(done: boolean): void | Promise<void> {
    this.#over = true;
    this.#clock.clearTimeout(this.#heartbeat);
    try {
      const told = done ? this.#store.complete(this.#token) : this.#store.release(this.#token);
      if (isThenable(told)) return this.#settled(told);
    } catch (error) {
      this.#refused(error);
    }
  }

  async #settled(told: PromiseLike<void>): Promise<void> {
    try {
      await told;
    } catch (error) {
      this.#refused(error);
    }
  }

  #refused(error: unknown): void {
    this.#refusal ??= unanswered(error);
  }

  #beat(): void {
    // Three heartbeats a lease: one may be late and one lost.
    this.#heartbeat = this.#clock.setTimeout(() => void this.#extend(), this.#leaseMs / 3);
  }

  async #extend(): Promise<void> {
    try {
      await this.#store.extend(this.#token, this.#leaseMs);
    } catch (error) {
      if (error instanceof StaleTokenError) {
        this.#refusal ??= error; // lost for good
        return;
      }
    }
    if (!this.#over) this.#beat();
  }
}

/** What a failure of the store means: any but a refused token has the name that fails closed. */
export function unanswered(cause: unknown): StaleTokenError | StoreUnavailableError {
  if (cause instanceof StaleTokenError) return cause;
  return new StoreUnavailableError("the idempotency store did not answer: nothing is acknowledged", { cause });
}
