import { systemClock } from "../clock.ts";
import { assertMigrated, migrate, migrationSql } from "../databases/migrate.ts";
import { SQLITE_DIALECT, Sqlite } from "../databases/sqlite.ts";
import type { SqliteDatabase, SqliteStatement, SqliteValue } from "../databases/sqlite-driver.ts";
import type { Inbox, InboxOptions, OrderOptions } from "./inbox.ts";
import { policyOf } from "./policy.ts";
import { PolledInbox } from "./polled/polled-inbox.ts";
import { COMPONENT, schema } from "./sql/schema.ts";
import { SqliteRecords } from "./sql/sqlite-records.ts";
import { workerName } from "./sql/worker-name.ts";

export type { SqliteDatabase, SqliteStatement, SqliteValue };

export interface SqliteInboxOptions extends InboxOptions, OrderOptions {
  /** The file; made where there is none. */
  readonly path?: string | undefined;
  /** An open database of `node:sqlite`, libsql or better-sqlite3, in place of `path`. It is yours to close. */
  readonly database?: SqliteDatabase | undefined;
  /** `false`: the tables are there already, by the SQL of `sqliteInboxSql()`; default `true`. */
  readonly migrate?: boolean | undefined;
}

/**
 * An inbox in a SQLite file, for processes on one machine: the embedded default.
 *
 * Nothing is opened before the first use. With `path`, the file is opened by `node:sqlite` where Node has it, else by
 * libsql (`npm install libsql`). Throws `ConfigurationError` for an option that cannot be meant.
 */
export function sqliteInbox(options: SqliteInboxOptions): Inbox {
  const policy = policyOf(options);
  const clock = options.clock ?? systemClock;
  const bring = options.migrate === false ? assertMigrated : migrate;
  const database = new Sqlite(
    options,
    () => clock.now(),
    () => bring(SQLITE_DIALECT, COMPONENT, schema),
  );
  const store = new SqliteRecords(database, policy, workerName(), options.orderBy !== undefined, () => clock.now());
  return new PolledInbox({ store, policy, options, group: { most: 128, flights: 1 } });
}

/** The SQL that makes the inbox's tables, for those who run their own migrations. */
export function sqliteInboxSql(): string {
  return migrationSql(SQLITE_DIALECT, COMPONENT, schema);
}
