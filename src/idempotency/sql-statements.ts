import type { Migrations } from "../databases/migrate.ts";
import type { Dialect } from "../databases/statement.ts";

/** The named constraints by which the database itself refuses a mark. */
const HELD = "hookbus_idempotency_mark_held";
const ONCE = "hookbus_idempotency_mark_once";

/**
 * A row for every key, and one for every subscriber that is done with it. `fence` is null unless somebody holds the key;
 * `lease_end` of a key that nobody holds says since when.
 */
export const tables: Migrations = ({ table }) => [
  [
    `CREATE TABLE IF NOT EXISTS ${table("hookbus_idempotency")} (key text NOT NULL PRIMARY KEY, fence text, lease_ms bigint NOT NULL, lease_end bigint NOT NULL, fingerprint text NOT NULL, claims integer NOT NULL, done integer NOT NULL)`,
    `CREATE INDEX IF NOT EXISTS hookbus_idempotency_lease_end ON ${table("hookbus_idempotency")} (lease_end)`,
    `CREATE TABLE IF NOT EXISTS ${table("hookbus_idempotency_mark")} (key text NOT NULL, subscriber text NOT NULL, position integer NOT NULL, CONSTRAINT ${ONCE} PRIMARY KEY (key, subscriber), CONSTRAINT ${HELD} CHECK (position >= 0))`,
  ],
];

export interface SqlStatements {
  /** Takes a key that is free: key, fence, lease, now, lease, fingerprint, now, now. */
  readonly claim: string;
  /** Key. */
  readonly known: string;
  /** Key. */
  readonly marks: string;
  /** Lease, now, lease, key, fence. */
  readonly extend: string;
  /** Now, key, fence. */
  readonly complete: string;
  /** Now, key, fence. */
  readonly release: string;
  /** Fails unless the fence is that of the live claim: key, subscriber, key, fence. */
  readonly mark: string;
  /** `mark` that does not mind a mark which is there already. */
  readonly markAgain: string;
  /** Key. */
  readonly forgetMarks: string;
  /** Deletes keys that nobody has held for long: now, how long, how many at most. */
  readonly purge: string;
}

export function sqlStatements({ table, now, share, skipLocked }: Dialect): SqlStatements {
  const keys = table("hookbus_idempotency");
  const marks = table("hookbus_idempotency_mark");
  // A lease that ends further ahead than it could was taken before the clock was set back.
  const isFree = `k.done = 0 AND (k.fence IS NULL OR k.lease_end <= ${now} OR k.lease_end - ${now} > 2 * k.lease_ms)`;
  // Nothing has to read the answer, which an ORM may hide: a lost fence breaks one constraint, a second mark the other.
  const position = `SELECT (SELECT count(*) FROM ${marks} AS m WHERE m.key = k.key) FROM ${keys} AS k WHERE k.key = ? AND k.fence = ? ${share}`;
  const mark = `INSERT INTO ${marks} (key, subscriber, position) VALUES (?, ?, coalesce((${position}), -1))`;
  return {
    claim:
      `INSERT INTO ${keys} AS k (key, fence, lease_ms, lease_end, fingerprint, claims, done) VALUES (?, ?, ?, ${now} + ?, ?, 1, 0) ` +
      "ON CONFLICT (key) DO UPDATE SET fence = excluded.fence, lease_ms = excluded.lease_ms, lease_end = excluded.lease_end, claims = k.claims + 1 " +
      `WHERE ${isFree} RETURNING claims`,
    known: `SELECT done, fingerprint FROM ${keys} WHERE key = ?`,
    marks: `SELECT subscriber FROM ${marks} WHERE key = ? ORDER BY position, subscriber`,
    extend: `UPDATE ${keys} SET lease_ms = ?, lease_end = ${now} + ? WHERE key = ? AND fence = ?`,
    complete: `UPDATE ${keys} SET fence = NULL, done = 1, lease_end = ${now} WHERE key = ? AND fence = ?`,
    release: `UPDATE ${keys} SET fence = NULL, lease_end = ${now} WHERE key = ? AND fence = ?`,
    mark,
    markAgain: `${mark} ON CONFLICT (key, subscriber) DO NOTHING`,
    forgetMarks: `DELETE FROM ${marks} WHERE key = ?`,
    purge: `DELETE FROM ${keys} WHERE key IN (SELECT key FROM ${keys} WHERE lease_end < ${now} - ? ORDER BY lease_end LIMIT ? ${skipLocked}) RETURNING key, done`,
  };
}

/**
 * Why the database refused a mark, if that is what `error` says: `stale`, the fence is lost; `marked`, the subscriber is
 * done. An ORM may have wrapped the database's error in its own.
 */
export function refusalOf(error: unknown): "stale" | "marked" | undefined {
  let cause = error;
  for (let depth = 0; depth < 5 && typeof cause === "object" && cause !== null; depth += 1) {
    const message = String((cause as { message?: unknown }).message);
    if (message.includes(HELD)) return "stale";
    // SQLite names the columns of a primary key, and not the key.
    if (message.includes(ONCE) || message.includes("UNIQUE constraint failed: hookbus_idempotency_mark."))
      return "marked";
    ({ cause } = cause as { cause?: unknown });
  }
  return undefined;
}
