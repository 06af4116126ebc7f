import { StaleTokenError } from "../../errors.ts";
import type { Run } from "../inbox.ts";
import type { Lease, LeasedRecord, Outcome } from "../record.ts";
import type { Batch } from "./batch.ts";
import type { Change, Mark, WorkedStore } from "./record-store.ts";

/** One attempt of a record that this worker holds: what its subscribers finish is kept under its lease. */
export class RecordRun implements Run {
  readonly transaction?: NonNullable<Run["transaction"]>;
  readonly markDoneWithin?: NonNullable<Run["markDoneWithin"]>;
  readonly #writes: Batch<Change, boolean>;
  readonly #marks: Mark[] = [];
  readonly #now: () => number;
  #record: LeasedRecord;
  #halt: Error | undefined;
  #over = false;
  #idle = false;

  constructor(record: LeasedRecord, store: WorkedStore, writes: Batch<Change, boolean>, now: () => number) {
    this.#record = record;
    this.#now = now;
    this.#writes = writes;
    // Functions that are written right into a property go to V8's old space, and keep from the garbage collector what they
    // know until its next major turn: these are not.
    const transaction = store.transaction?.bind(store);
    const within: Run["transaction"] =
      transaction &&
      (async (subscriber, fn) => {
        const result = await this.#fenced((lease) => transaction(lease, subscriber, fn));
        // Whatever becomes of the subscriber after its commit, it is done.
        this.#remember({ subscriber, rejected: false, at: now() });
        return result;
      });
    if (within) this.transaction = within;
    const markDoneWithin = store.markDoneWithin?.bind(store);
    const mark: Run["markDoneWithin"] =
      markDoneWithin &&
      ((subscriber, executor) => this.#fenced((lease) => markDoneWithin(lease, subscriber, executor)));
    if (mark) this.markDoneWithin = mark;
  }

  get record(): LeasedRecord {
    return this.#record;
  }

  /** Whether nothing that this run says counts any more, though it still runs: see `renew`. */
  get idle(): boolean {
    return this.#idle;
  }

  get halt(): Error | undefined {
    return this.#halt;
  }

  /** Starts no further subscriber, for the reason `why`. */
  stop(why: Error): void {
    this.#halt ??= why;
  }

  /** Another worker has the record by now. */
  lose(): void {
    this.stop(new StaleTokenError(`the lease of "${this.#record.key}" is over: another worker has the event`));
  }

  /**
   * The lease had run out, and this very worker got the record again: what still runs goes on under the new lease, and
   * nothing begins beside it.
   */
  renew(record: LeasedRecord): void {
    // Where more than that has happened, another worker had the event, or an operator wants all of it again.
    if (record.replayed !== this.#record.replayed || record.attempt !== this.#record.attempt + 1) {
      this.lose();
      this.#idle = true;
      this.#marks.length = 0;
    }
    this.#record = record;
  }

  markDone(subscriber: string, rejected: boolean): void {
    const mark = { subscriber, rejected, at: this.#now() };
    if (!this.#remember(mark)) return;
    // Where the attempt is over by then, its end takes the mark along. Nobody waits: a mark that is lost with the process
    // means a subscriber that runs once more, as it would had the process died a moment earlier.
    setImmediate(() => {
      if (!this.#over) void this.#mark(mark);
    });
  }

  /** Writes how the attempt ended; says whether the lease held. Rejects where the store does not answer. */
  async end(outcome: Outcome, dueInMs: number): Promise<boolean> {
    this.#over = true;
    return this.#write({
      kind: "end",
      lease: this.#record.lease,
      outcome,
      marks: this.#marks,
      first: this.#first,
      dueInMs,
    });
  }

  /** Lets another worker have the record at once; says whether the lease held. */
  async giveBack(): Promise<boolean> {
    this.#over = true;
    return this.#write({ kind: "give back", lease: this.#record.lease, marks: this.#marks, first: this.#first });
  }

  get #first(): boolean {
    return this.#record.attempt === 1 && !this.#record.replayed;
  }

  /** Without the lease, no further subscriber has anything to do here either. */
  async #fenced<T>(call: (lease: Lease) => Promise<T>): Promise<T> {
    const { lease } = this.#record;
    try {
      return await call(lease);
    } catch (error) {
      if (error instanceof StaleTokenError && lease === this.#record.lease) this.lose();
      throw error;
    }
  }

  #remember(mark: Mark): boolean {
    if (this.#idle) return false;
    if (this.#marks.some(({ subscriber }) => subscriber === mark.subscriber)) return false;
    this.#marks.push(mark);
    return true;
  }

  async #mark(mark: Mark): Promise<void> {
    try {
      await this.#write({ kind: "mark", lease: this.#record.lease, mark });
    } catch {
      // The end of the attempt writes it again.
    }
  }

  async #write(change: Change): Promise<boolean> {
    const held = await this.#writes.add(change);
    if (!held && change.lease === this.#record.lease) this.lose();
    return held;
  }
}
