/** What is bound to a placeholder. No booleans, no `undefined`: libsql ends the process over them. */
export type Value = string | number | null | Uint8Array;

/** One statement of SQL, with `?` for each of its values in order. */
export interface Statement {
  readonly text: string;
  readonly values?: readonly Value[];
}

export type Row = Readonly<Record<string, unknown>>;

export interface Answer {
  readonly rows: readonly Row[];
  /** How many rows the statement wrote. */
  readonly changes: number;
}

/**
 * Several statements that belong together, each made in the light of the answers before it. Written once, it runs
 * without a pause on SQLite, so that nothing else gets into its transaction, and awaits every answer on PostgreSQL.
 */
export type Plan<T> = Generator<Statement, T, Answer>;

/** What the two databases say differently. */
export interface Dialect {
  readonly name: "sqlite" | "postgres";
  /** The time in milliseconds since 1970, as an expression over one `?`: see `Database.now`. */
  readonly now: string;
  /** Follows a `SELECT` whose rows are about to be written: passes over those that another transaction writes. */
  readonly skipLocked: string;
  /** Follows a `SELECT` of rows that must not be written by others until the transaction ends. */
  readonly share: string;
  /** The type of a column of bytes. */
  readonly bytes: string;
  /** The table's full name. */
  table(name: string): string;
}

/** A database that keeps what must outlive the process. */
export interface Database {
  readonly dialect: Dialect;
  /** The value for the `?` of `dialect.now`: an injected clock's time, or null where the server's own clock counts. */
  now(): number | null;
  /** Runs the plan in one transaction. */
  run<T>(plan: () => Plan<T>): T | Promise<T>;
  /** Runs the plan without a transaction around it: each of its statements is one by itself. */
  one<T>(plan: () => Plan<T>): T | Promise<T>;
  /**
   * Runs `fn` in one transaction with the plan that follows it. Where `fn` or the plan fails, and where `fn` ended the
   * transaction by itself, all of it is rolled back.
   */
  transaction<Tx, T>(fn: (tx: Tx) => T | Promise<T>, then: () => Plan<void>): Promise<T>;
  /** Runs a plan within a transaction of the user's, on what the user calls that transaction. */
  within<Executor>(executor: Executor, plan: () => Plan<void>): Promise<void>;
  /** Rejects where the database cannot be reached. */
  ping(): void | Promise<void>;
  close(): void | Promise<void>;
}
