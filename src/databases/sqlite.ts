import { ConfigurationError } from "../errors.ts";
import { isThenable } from "../thenable.ts";
import { follow } from "./follow.ts";
import { closeQuietly, isCorruption, openSqlite, type SqliteDatabase, sqliteDriver } from "./sqlite-driver.ts";
import { SqliteStatements, setUp } from "./sqlite-statements.ts";
import type { Database, Dialect, Plan } from "./statement.ts";

export interface SqliteOptions {
  /** The file; made where there is none. */
  readonly path?: string | undefined;
  /** An open database of `node:sqlite`, libsql or better-sqlite3, in place of `path`. */
  readonly database?: SqliteDatabase | undefined;
  /** A database that is lost with the process, such as `:memory:`, is refused without it. */
  readonly allowVolatile?: boolean | undefined;
}

/** What SQLite says its own way. */
export const SQLITE_DIALECT: Dialect = {
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
  readonly dialect: Dialect = SQLITE_DIALECT;
  readonly #options: SqliteOptions;
  readonly #now: () => number;
  readonly #prepare: () => Plan<void>;
  #main: SqliteStatements | undefined;
  #second: SqliteStatements | undefined;
  #opening: Promise<SqliteStatements> | undefined;
  #openAnother: (() => SqliteDatabase) | undefined;
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
    return this.#with((database) => database.transact(() => follow(plan, database.ask)));
  }

  one<T>(plan: () => Plan<T>): T | Promise<T> {
    return this.#with((database) => follow(plan, database.askAlone));
  }

  async transaction<Tx, T>(fn: (tx: Tx) => T | Promise<T>, then: () => Plan<void>): Promise<T> {
    const own = this.#forTransactions(await this.#open());
    let isAsync = false;
    try {
      return this.#naming(() =>
        own.transact(() => {
          // Released after `fn`: where `fn` has ended the transaction by itself, there is nothing to release.
          own.exec("SAVEPOINT hookbus_transaction");
          const result = fn(own.database as Tx);
          isAsync = isThenable(result);
          if (isAsync) throw refusedAsync(result);
          release(own);
          follow(then, own.ask);
          return result;
        }),
      );
    } finally {
      // What an async `fn` writes from now on must not be committed.
      if (isAsync && own === this.#second) this.#abandon(own);
    }
  }

  async within<Executor>(executor: Executor, plan: () => Plan<void>): Promise<void> {
    const database = executor as unknown as SqliteDatabase;
    if (typeof database?.prepare !== "function") {
      throw new TypeError("`executor` must be the SQLite database in which your transaction is open");
    }
    // Named differently by libsql and better-sqlite3, and by node:sqlite, of which early versions have neither.
    if ((database.inTransaction ?? database.isTransaction) === false) {
      throw new TypeError("`executor` has no transaction open: begin yours first, and commit it after this");
    }
    follow(plan, new SqliteStatements(database).ask);
  }

  ping(): void | Promise<void> {
    return this.one(function* () {
      yield { text: "SELECT 1 AS up" };
    });
  }

  close(): void {
    this.#closed = true;
    if (this.#options.database === undefined) {
      closeQuietly(this.#second?.database);
      closeQuietly(this.#main?.database);
    }
    this.#main = undefined;
    this.#second = undefined;
    this.#opening = undefined;
  }

  #with<T>(use: (database: SqliteStatements) => T): T | Promise<T> {
    // No promise where nothing waits: deliveries that come together share a commit.
    const main = this.#main;
    if (main) return this.#naming(() => use(main));
    return this.#open().then((database) => this.#naming(() => use(database)));
  }

  #open(): Promise<SqliteStatements> {
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

  async #connect(): Promise<SqliteStatements> {
    const { path, database: given } = this.#options;
    if (path !== undefined) {
      const open = await sqliteDriver();
      this.#openAnother = () => openSqlite(open, path);
    }
    if (this.#closed) throw new ConfigurationError("the SQLite file has been closed");
    const database = given ?? (this.#openAnother as () => SqliteDatabase)();
    try {
      return this.#naming(() => {
        setUp(database, this.#options.allowVolatile ?? false);
        const statements = new SqliteStatements(database);
        statements.transact(() => follow(this.#prepare, statements.ask));
        return statements;
      });
    } catch (error) {
      if (given === undefined) closeQuietly(database);
      throw error;
    }
  }

  #forTransactions(main: SqliteStatements): SqliteStatements {
    // Another connection to a database in memory would be another database.
    if (!this.#openAnother || this.#options.path === ":memory:") return main;
    if (!this.#second) {
      const database = this.#openAnother();
      setUp(database, true);
      this.#second = new SqliteStatements(database);
    }
    return this.#second;
  }

  #abandon(second: SqliteStatements): void {
    this.#second = undefined;
    // Statements that were prepared may outlive the connection.
    second.exec("PRAGMA query_only = 1");
    closeQuietly(second.database);
  }

  /** Names the file where SQLite finds that it is damaged. */
  #naming<T>(use: () => T): T {
    try {
      return use();
    } catch (error) {
      if (!isCorruption(error)) throw error;
      const { path } = this.#options;
      const file = path === undefined ? "given as `database`" : `"${path}"`;
      throw new ConfigurationError(`the SQLite file ${file} is damaged: put it back from a backup`, { cause: error });
    }
  }
}

function release(database: SqliteStatements): void {
  try {
    database.exec("RELEASE hookbus_transaction");
  } catch (cause) {
    const message = "`fn` ended the transaction itself: leave COMMIT and ROLLBACK to hookbus";
    throw new ConfigurationError(message, { cause });
  }
}

function refusedAsync(going: unknown): TypeError {
  (going as PromiseLike<unknown>).then(undefined, () => undefined);
  return new TypeError("`fn` must be synchronous on SQLite: its transaction cannot be held open over an `await`");
}
