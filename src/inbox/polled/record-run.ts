import { StaleTokenError } from "../../errors.ts";
import type { Run } from "../inbox.ts";
import type { LeasedRecord, Outcome } from "../record.ts";
import type { Batch } from "./batch.ts";
import type { Change, Mark, RecordStore } from "./record-store.ts";

/** One attempt of a record that this worker holds: what its subscribers finish is kept under its lease. */
export class RecordRun implements Run {
  readonly record: LeasedRecord;
  readonly transaction?: NonNullable<Run["transaction"]>;
  readonly markDoneWithin?: NonNullable<Run["markDoneWithin"]>;
  readonly #writes: Batch<Change, boolean>;
  readonly #marks: Mark[] = [];
  readonly #now: () => number;
  #halt: Error | undefined;
  #over = false;

  constructor(record: LeasedRecord, store: RecordStore, writes: Batch<Change, boolean>, now: () => number) {
    this.record = record;
    this.#now = now;
    this.#writes = writes;
    const { lease } = record;
    const transaction = store.transaction?.bind(store);
    if (transaction) {
      this.transaction = async (subscriber, fn) => {
        const result = await transaction(lease, subscriber, fn);
        // Whatever becomes of the subscriber after its commit, it is done.
        this.#remember({ subscriber, rejected: false, at: now() });
        return result;
      };
    }
    const markDoneWithin = store.markDoneWithin?.bind(store);
    if (markDoneWithin) this.markDoneWithin = (subscriber, executor) => markDoneWithin(lease, subscriber, executor);
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
    this.stop(new StaleTokenError(`the lease of "${this.record.key}" is over: another worker has the event`));
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

  /** Writes how the attempt ended. Rejects where the store does not answer. */
  async end(outcome: Outcome, dueInMs: number): Promise<void> {
    this.#over = true;
    await this.#write({
      kind: "end",
      lease: this.record.lease,
      outcome,
      marks: this.#marks,
      first: this.#first,
      dueInMs,
    });
  }

  /** Lets another worker have the record at once. */
  async giveBack(): Promise<void> {
    this.#over = true;
    await this.#write({ kind: "give back", lease: this.record.lease, marks: this.#marks, first: this.#first });
  }

  get #first(): boolean {
    return this.record.attempt === 1 && !this.record.replayed;
  }

  #remember(mark: Mark): boolean {
    if (this.#marks.some(({ subscriber }) => subscriber === mark.subscriber)) return false;
    this.#marks.push(mark);
    return true;
  }

  async #mark(mark: Mark): Promise<void> {
    try {
      await this.#write({ kind: "mark", lease: this.record.lease, mark });
    } catch {
      // The end of the attempt writes it again.
    }
  }

  async #write(change: Change): Promise<void> {
    if (!(await this.#writes.add(change))) this.lose();
  }
}
