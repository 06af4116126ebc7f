import { SQLITE_DIALECT, Sqlite, type SqliteOptions } from "../databases/sqlite.ts";
import { idempotencySql, prepareTables, SqlIdempotency, type SqlIdempotencyOptions } from "./sql.ts";

export interface SqliteIdempotencyOptions extends SqliteOptions, SqlIdempotencyOptions {}

export type { SqlIdempotency };

/**
 * Remembers events in a SQLite file, for one machine: all of its processes may share the file, and restarts do not
 * forget. By `node:sqlite` on Node 22.13 and later, else by the package libsql. Opened on first use.
 *
 * `context.transaction` gets a database of its own to the same file, whose `fn` must be synchronous;
 * `context.markDone` takes the database in which your transaction is open.
 *
 * Throws `ConfigurationError` unless exactly one of `path` and `database` is given. Calls reject with
 * `ConfigurationError` where the file cannot be opened, is damaged, or is kept in memory without `allowVolatile`, and
 * with `MissingPeerError` where libsql is needed and not installed.
 */
export function sqliteIdempotency(options: SqliteIdempotencyOptions): SqlIdempotency {
  const { now = Date.now, ttlMs, migrate } = options;
  const prepare = () => prepareTables(SQLITE_DIALECT, migrate);
  return new SqlIdempotency(new Sqlite(options, now, prepare), ttlMs);
}

/** The SQL of the tables, for `migrate: false`. */
export function sqliteIdempotencySql(): string {
  return idempotencySql(SQLITE_DIALECT);
}
