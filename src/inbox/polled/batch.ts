import type { Clock } from "../../clock.ts";
import { StoreUnavailableError } from "../../errors.ts";

export interface BatchOptions<In, Out> {
  /** Writes all of them in one commit, and says what came of each: an error of one is no error of the others. */
  readonly flush: (items: readonly In[]) => readonly (Out | Error)[] | Promise<readonly (Out | Error)[]>;
  /** How many may go together. */
  readonly most: number;
  /** How many commits may be under way at once. */
  readonly flights: number;
  /** How many turns of the event loop a commit may gather in, while each brings some; default: one. */
  readonly turns?: number;
  /** The weight of an item, in bytes; default: none. */
  readonly weigh?: (item: In) => number;
  /** How long an item may take, in milliseconds, the time that it waits included. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

interface Waiting<In, Out> {
  readonly item: In;
  readonly weight: number;
  readonly timer: unknown;
  /** Whether its caller still waits. */
  open: boolean;
  resolve(result: Out): void;
  reject(error: unknown): void;
}

/** More than this goes into the next commit, so that small deliveries do not wait for a large one's bytes. */
const FULL_BYTES = 256 * 1024;

/** More than this is refused: a store that has stopped must not fill the memory with what waits for it. */
const WAITING_BYTES = 64 * 1024 * 1024;

/**
 * Group commit: what comes while a commit is under way goes into the next one together.
 *
 * Nothing waits for company: a commit begins as soon as the events at hand have been looked at, or where it may gather
 * for longer, as soon as a turn of the event loop has brought nothing more.
 */
export class Batch<In, Out> {
  readonly #options: BatchOptions<In, Out>;
  #waiting: Waiting<In, Out>[] = [];
  #weight = 0;
  #flights = 0;
  #scheduled = false;

  constructor(options: BatchOptions<In, Out>) {
    this.#options = options;
  }

  /** Rejects with what the commit failed with, and with `StoreUnavailableError` where that takes too long. */
  add(item: In): Promise<Out> {
    const { weigh, timeoutMs, clock } = this.#options;
    const weight = weigh?.(item) ?? 0;
    if (this.#weight + weight > WAITING_BYTES) {
      return Promise.reject(new StoreUnavailableError("too much waits for the inbox already: nothing is acknowledged"));
    }
    return new Promise((resolve, reject) => {
      const timer = clock.setTimeout(() => {
        waiting.open = false;
        reject(new StoreUnavailableError(`the inbox did not answer within ${timeoutMs} ms: nothing is acknowledged`));
      }, timeoutMs);
      const waiting: Waiting<In, Out> = { item, weight, timer, open: true, resolve, reject };
      this.#waiting.push(waiting);
      this.#weight += weight;
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.length === 0 || this.#flights >= this.#options.flights) return;
    this.#scheduled = true;
    this.#afterTurn(this.#options.turns ?? 1);
  }

  /** Flies after what the event loop has at hand: those deliveries share the commit. */
  #afterTurn(turns: number): void {
    let before = Number.POSITIVE_INFINITY;
    // What is added in one go is no sign that more is coming.
    if (turns > 1) {
      queueMicrotask(() => {
        before = this.#waiting.length;
      });
    }
    setImmediate(() => {
      const more = this.#waiting.length > before;
      if (more && this.#waiting.length < this.#options.most) return this.#afterTurn(turns - 1);
      this.#scheduled = false;
      void this.#fly();
    });
  }

  async #fly(): Promise<void> {
    const group = this.#take();
    if (group.length === 0) return;
    this.#flights += 1;
    // With room for another flight, what is left need not wait for this one.
    this.#schedule();
    try {
      const results = await this.#options.flush(group.map(({ item }) => item));
      for (const [index, waiting] of group.entries()) {
        const result = results[index] as Out | Error;
        this.#end(waiting, () => (result instanceof Error ? waiting.reject(result) : waiting.resolve(result)));
      }
    } catch (error) {
      for (const waiting of group) this.#end(waiting, () => waiting.reject(error));
    } finally {
      this.#flights -= 1;
      this.#schedule();
    }
  }

  /** The next group; those whose callers have gone are left out. */
  #take(): Waiting<In, Out>[] {
    const group: Waiting<In, Out>[] = [];
    let bytes = 0;
    let taken = 0;
    for (const waiting of this.#waiting) {
      if (group.length >= this.#options.most || (group.length > 0 && bytes + waiting.weight > FULL_BYTES)) break;
      taken += 1;
      this.#weight -= waiting.weight;
      if (!waiting.open) continue;
      bytes += waiting.weight;
      group.push(waiting);
    }
    this.#waiting = this.#waiting.slice(taken);
    return group;
  }

  #end(waiting: Waiting<In, Out>, tell: () => void): void {
    if (!waiting.open) return;
    waiting.open = false;
    this.#options.clock.clearTimeout(waiting.timer);
    tell();
  }
}
