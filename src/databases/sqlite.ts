import { ConfigurationError } from "../errors.ts";
import { isCorruption, openSqlite, type SqliteDatabase, type SqliteStatement, sqliteDriver } from "./sqlite-driver.ts";
import type { Answer, Database, Dialect, Plan, Row, Statement, Value } from "./statement.ts";

export interface SqliteOptions {
  /** The file; made where there is none. */
  readonly path?: string | undefined;
  /** An open database of `node:sqlite`, libsql or better-sqlite3, in place of `path`. */
  readonly database?: SqliteDatabase | undefined;
  /** A database that is lost with the process, such as `:memory:`, is refused without it. */
  readonly allowVolatile?: boolean | undefined;
}

/** How long a statement waits for another process that writes, in milliseconds, before it fails. */
const BUSY_TIMEOUT_MS = 5_000;

const DIALECT: Dialect = {
  name: "sqlite",
  now: "?",
  skipLocked: "",
  share: "",
  bytes: "blob",
  table: (name) => name,
};

/**
 * A SQLite file, in WAL mode and with `synchronous=FULL`: what is committed survives a crash of the machine.
 *
 * Opened on first use. A transaction of the user's has a connection of its own, so that nothing of hookbus's gets into
 * it; on a handed-in `database` it has the only one there is, and no statement of hookbus's runs meanwhile, since `fn` is
 * synchronous.
 */
export class Sqlite implements Database {
  readonly dialect: Dialect = DIALECT;
  readonly #options: SqliteOptions;
  readonly #now: () => number;
  readonly #prepare: () => Plan<void>;
  readonly #statements = new Map<string, SqliteStatement>();
  #main: SqliteDatabase | undefined;
  #opening: Promise<SqliteDatabase> | undefined;
  #second: SqliteDatabase | undefined;
  #closed = false;

  /**
   * @param now the clock, in milliseconds since 1970.
   * @param prepare runs once, when the file has been opened.
   */
  constructor(options: SqliteOptions, now: () => number, prepare: () => Plan<void>) {
    const { path, database } = options;
    if ((path === undefined) === (database === undefined)) {
      throw new ConfigurationError("either `path` or `database` is needed, and not both");
    }
    if (path !== undefined && (typeof path !== "string" || path.trim() === "")) {
      throw new ConfigurationError("`path` must name a file");
    }
    if (database !== undefined && !(typeof database?.prepare === "function" && typeof database.exec === "function")) {
      throw new ConfigurationError("`database` must be a database of node:sqlite, libsql or better-sqlite3");
    }
    this.#options = options;
    this.#now = now;
    this.#prepare = prepare;
  }

  now(): number {
    return this.#now();
  }

  run<T>(plan: () => Plan<T>): T | Promise<T> {
    return this.#with((database) => this.#transact(database, () => this.#follow(database, plan)));
  }

  one<T>(plan: () => Plan<T>): T | Promise<T> {
    return this.#with((database) => this.#follow(database, plan));
  }

  async transaction<Tx, T>(fn: (tx: Tx) => T | Promise<T>, then: () => Plan<void>): Promise<T> {
    const main = await this.#open();
    const database = await this.#forTransactions(main);
    return this.#transact(database, () => {
      // Released after `fn`: where `fn` has ended the transaction by itself, there is nothing to release.
      database.exec("SAVEPOINT hookbus_transaction");
      const result = fn(database as Tx);
      if (isThenable(result)) {
        result.then(undefined, () => undefined);
        throw new TypeError("`fn` must be synchronous on SQLite: its transaction cannot be held open over an `await`");
      }
      try {
        database.exec("RELEASE hookbus_transaction");
      } catch (cause) {
        throw new ConfigurationError("`fn` ended the transaction itself: leave COMMIT and ROLLBACK to hookbus", {
          cause,
        });
      }
      this.#follow(database, then);
      return result;
    });
  }

  async within<Executor>(executor: Executor, plan: () => Plan<void>): Promise<void> {
    const database = executor as unknown as SqliteDatabase;
    if (typeof database?.prepare !== "function") {
      throw new TypeError("`executor` must be the SQLite database in which your transaction is open");
    }
    this.#follow(database, plan, (text) => database.prepare(text));
  }

  ping(): void | Promise<void> {
    return this.one(function* () {
      yield { text: "SELECT 1 AS up" };
    });
  }

  close(): void {
    this.#closed = true;
    this.#statements.clear();
    if (this.#options.database === undefined) {
      this.#second?.close?.();
      this.#main?.close?.();
    }
    this.#main = undefined;
    this.#second = undefined;
    this.#opening = undefined;
  }

  #with<T>(use: (database: SqliteDatabase) => T): T | Promise<T> {
    // No promise where nothing waits: deliveries that come together share a commit.
    return this.#main ? use(this.#main) : this.#open().then(use);
  }

  #open(): Promise<SqliteDatabase> {
    if (this.#closed) return Promise.reject(new ConfigurationError("the SQLite file has been closed"));
    if (this.#main) return Promise.resolve(this.#main);
    this.#opening ??= this.#connect().then(
      (database) => {
        this.#main = database;
        return database;
      },
      (error: unknown) => {
        // The next call tries again: the folder may be there by then.
        this.#opening = undefined;
        throw error;
      },
    );
    return this.#opening;
  }

  async #connect(): Promise<SqliteDatabase> {
    const { path, database: given, allowVolatile } = this.#options;
    const database = given ?? openSqlite(await sqliteDriver(), path as string);
    try {
      setUp(database, allowVolatile ?? false);
      this.#transact(database, () => this.#follow(database, this.#prepare, (text) => database.prepare(text)));
      return database;
    } catch (error) {
      if (given === undefined) database.close?.();
      if (isCorruption(error)) {
        throw new ConfigurationError(
          `the SQLite file "${path ?? "given as `database`"}" is damaged: put it back from a backup`,
          {
            cause: error,
          },
        );
      }
      throw error;
    }
  }

  async #forTransactions(main: SqliteDatabase): Promise<SqliteDatabase> {
    const { path } = this.#options;
    // Another connection to a database in memory would be another database.
    if (path === undefined || path === ":memory:") return main;
    if (!this.#second) {
      const second = openSqlite(await sqliteDriver(), path);
      setUp(second, true);
      this.#second ??= second;
    }
    return this.#second;
  }

  #transact<T>(database: SqliteDatabase, work: () => T): T {
    // Immediate: a transaction that reads first and then has to wait for a writer would fail instead of waiting.
    database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      database.exec("COMMIT");
      return result;
    } catch (error) {
      try {
        database.exec("ROLLBACK");
      } catch {
        // Some failures have rolled back by themselves; the first error is the one to tell.
      }
      throw error;
    }
  }

  #follow<T>(database: SqliteDatabase, plan: () => Plan<T>, prepare?: (text: string) => SqliteStatement): T {
    const steps = plan();
    let step = steps.next();
    while (!step.done) {
      const { text, values = [] } = step.value;
      const statement = prepare?.(text) ?? this.#prepared(database, text);
      step = steps.next(answer(statement, step.value, values));
    }
    return step.value;
  }

  #prepared(database: SqliteDatabase, text: string): SqliteStatement {
    if (database !== this.#main) return database.prepare(text);
    let statement = this.#statements.get(text);
    if (!statement) {
      statement = database.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }
}

/** Statements that give rows: better-sqlite3 takes no others for `all`. */
const GIVES_ROWS = /^\s*(?:SELECT|PRAGMA)\b|\bRETURNING\b/;

function answer(statement: SqliteStatement, { text }: Statement, values: readonly Value[]): Answer {
  if (GIVES_ROWS.test(text)) {
    const rows = statement.all(...(values as never[])) as Row[];
    return { rows, changes: rows.length };
  }
  return { rows: [], changes: Number(statement.run(...(values as never[])).changes) };
}

function setUp(database: SqliteDatabase, allowVolatile: boolean): void {
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  const { journal_mode: journal } = database.prepare("PRAGMA journal_mode = WAL").get() as { journal_mode: string };
  database.exec("PRAGMA synchronous = FULL");
  if (journal !== "wal" && !allowVolatile) {
    throw new ConfigurationError(
      `this SQLite database is kept in memory (journal_mode ${journal}) and would lose what was acknowledged: ` +
        "give the `path` of a file, or set `allowVolatile: true`",
    );
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
