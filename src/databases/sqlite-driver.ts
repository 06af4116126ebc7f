import { ConfigurationError } from "../errors.ts";
import { importPeer } from "../peer.ts";

/** What `node:sqlite`, libsql and better-sqlite3 have in common, and all that hookbus uses of them. */
export interface SqliteDatabase {
  prepare(text: string): SqliteStatement;
  exec(text: string): unknown;
  close?(): unknown;
  /** Whether a transaction is open, as libsql and better-sqlite3 call it. */
  readonly inTransaction?: boolean;
  /** The same in `node:sqlite`. */
  readonly isTransaction?: boolean;
}

export interface SqliteStatement {
  run(...values: SqliteValue[]): { readonly changes: number | bigint };
  get(...values: SqliteValue[]): unknown;
  all(...values: SqliteValue[]): unknown[];
}

/** What all three take for a `?`. */
export type SqliteValue = string | number | bigint | null | Uint8Array;

type Open = (path: string) => SqliteDatabase;
type SqliteClass = new (path: string) => SqliteDatabase;

/**
 * How SQLite files are opened here: by `node:sqlite` where Node has it (22.13 and later), else by libsql.
 *
 * Rejects with `MissingPeerError` where libsql is needed and not installed.
 */
export async function sqliteDriver(): Promise<Open> {
  const builtin = process.getBuiltinModule?.("node:sqlite") as { DatabaseSync: SqliteClass } | undefined;
  if (builtin) return (path) => new builtin.DatabaseSync(path);
  const { default: Libsql } = await importPeer("libsql", "SQLite on this version of Node", () => import("libsql"));
  return (path) => new Libsql(path) as unknown as SqliteDatabase;
}

/** How long a statement waits for another process that writes, in milliseconds, before it fails. */
const BUSY_TIMEOUT_MS = 5_000;

/** Opens `path`; throws `ConfigurationError` that names it where it cannot be opened or is no database. */
export function openSqlite(open: Open, path: string): SqliteDatabase {
  let database: SqliteDatabase | undefined;
  try {
    database = open(path);
    waitForOthers(database);
    // Nothing is read when a file is opened: this is the first look at what it holds.
    database.prepare("SELECT count(*) AS tables FROM sqlite_master").get();
    return database;
  } catch (cause) {
    closeQuietly(database);
    const broken = isCorruption(cause);
    const what = broken ? "is no SQLite database, or is damaged" : "cannot be opened";
    const advice = broken
      ? "put it back from a backup, or move it away to begin with an empty one"
      : "see whether its folder exists and this process may write there";
    throw new ConfigurationError(`the SQLite file "${path}" ${what}: ${advice}`, { cause });
  }
}

/** Whether SQLite says that the file is damaged (SQLITE_CORRUPT, 11) or is no database at all (SQLITE_NOTADB, 26). */
export function isCorruption(error: unknown): boolean {
  const { code, errcode, message } = (error ?? {}) as { code?: unknown; errcode?: unknown; message?: unknown };
  if (code === "SQLITE_CORRUPT" || code === "SQLITE_NOTADB" || errcode === 11 || errcode === 26) return true;
  return /file is not a database|database disk image is malformed/.test(String(message));
}

/** Whether SQLite says that somebody else writes (SQLITE_BUSY, 5, and its extended codes, which end on that byte). */
export function isBusy(error: unknown): boolean {
  const { code, errcode } = (error ?? {}) as { code?: unknown; errcode?: unknown };
  return String(code).startsWith("SQLITE_BUSY") || (Number(errcode) & 0xff) === 5;
}

/** Lets statements wait while another process writes. */
export function waitForOthers(database: SqliteDatabase): void {
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
}

export function closeQuietly(database: SqliteDatabase | undefined): void {
  try {
    database?.close?.();
  } catch {
    // Whoever closes it is about to tell what is really wrong.
  }
}
