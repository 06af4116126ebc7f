/** Keeps the marks of one run: which of its subscribers are done. */
export interface Marks {
  /** The subscribers that an earlier run had finished. */
  readonly done: readonly string[];
  /** Where this is a replay for some subscribers: those, and nobody else. */
  readonly only?: readonly string[] | undefined;
  /**
   * Why the run must start no further subscriber: it lost the event to another one, or is to end. Asked before each.
   */
  readonly halt?: Error | undefined;
  /**
   * Told of each subscriber that finished; `rejected` when it threw `Reject`, `last` when no other one is left, and none
   * has failed. Never rejects.
   */
  markDone(mark: string, rejected: boolean, last: boolean): void | Promise<void>;
  /** Runs `fn` in one transaction with the mark; absent where nothing could hold both. */
  transaction?<Tx, T>(mark: string, fn: (tx: Tx) => T | Promise<T>): Promise<T>;
  /** Sets the mark within a transaction of the caller's; absent where nothing could hold both. */
  markDoneWithin?<Executor>(mark: string, executor: Executor): Promise<void>;
}
