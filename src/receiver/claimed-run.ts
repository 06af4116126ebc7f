import { codeOf } from "../bus/logger.ts";
import type { Marks } from "../bus/marks.ts";
import type { Clock } from "../clock.ts";
import { HookbusError, StaleTokenError, StoreUnavailableError } from "../errors.ts";
import type { ClaimToken, IdempotencyStore } from "../idempotency/store.ts";
import { isThenable } from "../thenable.ts";

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

  /**
   * Completes the claim, or gives it back for another try, with a further mark if there is one to be kept. Never fails; a
   * promise only where the store is one.
   */
  end(done: boolean, mark?: string): void | Promise<void> {
    this.#over = true;
    this.#clock.clearTimeout(this.#heartbeat);
    const marked = done || mark === undefined || this.done.includes(mark) ? undefined : this.markDone(mark);
    return marked === undefined ? this.#settle(done) : marked.then(() => this.#settle(done));
  }

  #settle(done: boolean): void | Promise<void> {
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

  /**
   * Three heartbeats a lease, by the clock alone: one may be late and one lost, whether it fails or is never answered. What
   * is still unanswered needs no bound of its own: it grows by three a lease at the most, while the run lasts.
   */
  #beat(): void {
    this.#heartbeat = this.#clock.setTimeout(() => {
      this.#beat();
      void this.#extend();
    }, this.#leaseMs / 3);
  }

  async #extend(): Promise<void> {
    try {
      await this.#store.extend(this.#token, this.#leaseMs);
    } catch (error) {
      // A beat that the end has overtaken is told that the claim is over. Whether it held until then, the end is told.
      if (this.#over || !(error instanceof StaleTokenError)) return;
      this.#refusal ??= error; // lost for good
      this.#clock.clearTimeout(this.#heartbeat);
    }
  }
}

/** What a failure of the store means: any but a refused token has the name that fails closed. */
export function unanswered(cause: unknown): StaleTokenError | StoreUnavailableError {
  if (cause instanceof StaleTokenError) return cause;
  // What hookbus itself says is wrong, or the driver's code: the operator's log shows no causes.
  const why = cause instanceof HookbusError ? cause.message : codeOf(cause);
  const told = `the idempotency store did not answer: nothing is acknowledged${why === undefined ? "" : ` (${why})`}`;
  return new StoreUnavailableError(told, { cause });
}
