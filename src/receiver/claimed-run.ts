import type { Marks } from "../bus/marks.ts";
import type { Clock } from "../clock.ts";
import { StaleTokenError, StoreUnavailableError } from "../errors.ts";
import type { Awaitable, ClaimToken, IdempotencyStore } from "../idempotency/store.ts";

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
    const transaction = store.transaction?.bind(store);
    if (transaction) this.transaction = (mark, fn) => transaction(token, mark, fn);
    const markDoneWithin = store.markDoneWithin?.bind(store);
    if (markDoneWithin) this.markDoneWithin = (mark, executor) => markDoneWithin(token, mark, executor);
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

  /** Never rejects. */
  async markDone(subscriber: string): Promise<void> {
    await this.#tell(() => this.#store.markDone(this.#token, subscriber));
  }

  /** Completes the claim, or gives it back for another try. Never rejects. */
  async end(done: boolean): Promise<void> {
    this.#over = true;
    this.#clock.clearTimeout(this.#heartbeat);
    await this.#tell(() => (done ? this.#store.complete(this.#token) : this.#store.release(this.#token)));
  }

  async #tell(call: () => Awaitable<void>): Promise<void> {
    try {
      await answered(call);
    } catch (error) {
      this.#refusal ??= error as StaleTokenError | StoreUnavailableError;
    }
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

/** Asks the store, and gives any failure but a refused token the name that fails closed. */
export async function answered<T>(call: () => Awaitable<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    if (cause instanceof StaleTokenError) throw cause;
    throw new StoreUnavailableError("the idempotency store did not answer: nothing is acknowledged", { cause });
  }
}
