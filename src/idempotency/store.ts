/** A value, or a promise of it: stores that need not wait do not make the caller wait. */
export type Awaitable<T> = T | Promise<T>;

/** Proof of a claim. Another claim of the same key has another `fence`. */
export interface ClaimToken {
  readonly key: string;
  readonly fence: string;
}

export interface ClaimOptions {
  /** How long the claim lives without a heartbeat. */
  readonly leaseMs: number;
  /** A short hash of the event's data, kept with the key so that a conflicting duplicate can be told. */
  readonly fingerprint: string;
}

export type Claim =
  /** The key is ours. `done` names the subscribers that an earlier, failed run had finished. */
  | { readonly state: "claimed"; readonly token: ClaimToken; readonly done: readonly string[] }
  /** Another run holds the key. */
  | { readonly state: "busy" }
  /** The event was handled. `fingerprint` is the one its first claim came with. */
  | { readonly state: "done"; readonly fingerprint: string };

/**
 * Remembers which events were handled, which are being handled, and by which subscribers.
 *
 * Every call but `claim` rejects (or throws) `StaleTokenError` when the token's lease has run out and the key was
 * claimed anew, or when the claim is over. A store that cannot answer rejects; it never guesses.
 */
export interface IdempotencyStore {
  /** Whether everything is forgotten with the process. A store that is not volatile needs named subscribers. */
  readonly volatile: boolean;
  claim(key: string, options: ClaimOptions): Awaitable<Claim>;
  /** The heartbeat: the lease runs `leaseMs` from now. */
  extend(token: ClaimToken, leaseMs: number): Awaitable<void>;
  /** Remembers that one subscriber is done with the event; outlives `release`. */
  markDone(token: ClaimToken, subscriber: string): Awaitable<void>;
  /** The event is handled: every later claim answers `done`. */
  complete(token: ClaimToken): Awaitable<void>;
  /** Gives the key back for another try. The marks stay. */
  release(token: ClaimToken): Awaitable<void>;
  /**
   * Runs `fn` in one database transaction with the mark that `subscriber` is done, and resolves to what `fn` returned:
   * both are committed, or neither. Rejects with what `fn` threw, and with `StaleTokenError` where the claim was lost
   * meanwhile. Only databases that can hold the user's data have it.
   */
  transaction?<Tx, T>(token: ClaimToken, subscriber: string, fn: (tx: Tx) => T | Promise<T>): Promise<T>;
  /**
   * `markDone` within a transaction that the caller owns: its rollback takes the mark back. `executor` runs one statement
   * of SQL in that transaction; what it looks like, the store says.
   */
  markDoneWithin?<Executor>(token: ClaimToken, subscriber: string, executor: Executor): Promise<void>;
  /** Rejects when the store cannot be reached; asked by health checks. */
  ping?(): Awaitable<void>;
  /** Frees connections and timers. */
  close?(): Awaitable<void>;
}
