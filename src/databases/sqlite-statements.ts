import { ConfigurationError } from "../errors.ts";
import { isBusy, type SqliteDatabase, type SqliteStatement, waitForOthers } from "./sqlite-driver.ts";
import type { Answer, Row, Statement } from "./statement.ts";

/** Statements that give rows: better-sqlite3 takes no others for `all`. */
const GIVES_ROWS = /^\s*(?:SELECT|PRAGMA)\b|\bRETURNING\b/;

const READS = /^\s*SELECT\b/;

interface Prepared {
  readonly statement: SqliteStatement;
  readonly givesRows: boolean;
}

/** One connection, which prepares every statement once. */
export class SqliteStatements {
  readonly database: SqliteDatabase;
  readonly #prepared = new Map<string, Prepared>();

  constructor(database: SqliteDatabase) {
    this.database = database;
  }

  exec(text: string): void {
    this.database.exec(text);
  }

  /** Runs `work` in a transaction: what it throws rolls back. */
  transact<T>(work: () => T): T {
    // Immediate: a transaction that reads first and then has to wait for a writer would fail instead of waiting.
    this.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.exec("COMMIT");
      return result;
    } catch (error) {
      try {
        this.exec("ROLLBACK");
      } catch {
        // Some failures have rolled back by themselves; the first error is the one to tell.
      }
      throw error;
    }
  }

  /** Asks in a transaction of the statement's own. */
  readonly askAlone = (statement: Statement): Answer => {
    if (READS.test(statement.text)) return this.ask(statement);
    // Without it a statement would have to wait for other processes itself. libsql leaves one that waited in vain under
    // way, and refuses every later COMMIT for it.
    return this.transact(() => this.ask(statement));
  };

  readonly ask = ({ text, values = [] }: Statement): Answer => {
    let prepared = this.#prepared.get(text);
    if (!prepared) {
      prepared = { statement: this.database.prepare(text), givesRows: GIVES_ROWS.test(text) };
      this.#prepared.set(text, prepared);
    }
    if (prepared.givesRows) {
      const rows = prepared.statement.all(...values) as Row[];
      return { rows, changes: rows.length };
    }
    return { rows: [], changes: Number(prepared.statement.run(...values).changes) };
  };
}

/** Makes a database keep what it commits; throws `ConfigurationError` where it cannot, unless that is allowed. */
export function setUp(database: SqliteDatabase, allowVolatile: boolean): void {
  waitForOthers(database);
  const journal = withWal(database);
  database.exec("PRAGMA synchronous = FULL");
  checkpointSeldom(database);
  // Where a file cannot have a WAL it keeps the journal that it had, which is as safe.
  if ((journal !== "memory" && journal !== "off") || allowVolatile) return;
  throw new ConfigurationError(
    `this SQLite database is kept in memory (journal_mode ${journal}) and would lose what was acknowledged: ` +
      "give the `path` of a file, or set `allowVolatile: true`",
  );
}

/**
 * SQLite copies its WAL into the database whenever it holds a thousand pages, the same pages of an index again and again.
 * Four thousand are 16 MB. Whoever has set a number of their own keeps it.
 *
 * @see https://www.sqlite.org/pragma.html#pragma_wal_autocheckpoint
 */
function checkpointSeldom(database: SqliteDatabase): void {
  const { wal_autocheckpoint: pages } = database.prepare("PRAGMA wal_autocheckpoint").get() as Record<string, unknown>;
  if (Number(pages) === 1_000) database.exec("PRAGMA wal_autocheckpoint = 4000");
}

/** How often another process may be in the way of a new file's first change: it makes it once, and so does each that waits. */
const TRIES = 10;

/** Has a file keep a WAL; gives the journal that it has then. */
function withWal(database: SqliteDatabase, tries: number = TRIES): string {
  try {
    const { journal_mode: journal } = database.prepare("PRAGMA journal_mode = WAL").get() as { journal_mode: string };
    return journal;
  } catch (error) {
    // Of two processes that change a new file at once, SQLite fails one without the wait that it was told of.
    if (!isBusy(error) || tries === 0) throw error;
    database.exec("BEGIN IMMEDIATE");
    database.exec("ROLLBACK");
    return withWal(database, tries - 1);
  }
}
