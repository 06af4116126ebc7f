import type { Dialect } from "../../databases/statement.ts";

/** What the schema is called where its version is kept. */
export const COMPONENT = "hookbus_inbox";

/**
 * The tables of an inbox.
 *
 * `hookbus_inbox` holds the records and, of purged ones, the tombstones. `seq` grows with time, so that new rows go to the
 * end of every index but the key's. A record that a worker has is `pending` with a `worker`; `due_at` is then the end of
 * its lease, so that a worker that vanished needs no other care than a record that waits.
 *
 * `hookbus_inbox_body` holds the raw bytes apart: a record changes several times, and its bytes never. The events of one
 * delivery share a row. Nothing here is ever compressed, which would cost more than it saves at these sizes.
 *
 * `hookbus_inbox_mark` holds the subscribers that finished while others still ran, and those that finished in a
 * transaction of their own; the end of an attempt copies them into `done`.
 */
export function schema({ name, table, bytes }: Dialect): readonly (readonly string[])[] {
  const postgres = name === "postgres";
  const key = postgres ? "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY" : "integer PRIMARY KEY";
  const records = table("hookbus_inbox");
  const bodies = table("hookbus_inbox_body");
  return [
    [
      `CREATE TABLE IF NOT EXISTS ${records} (
  seq ${key},
  key text NOT NULL UNIQUE,
  bus text NOT NULL,
  provider text NOT NULL,
  event_id text NOT NULL,
  type text,
  state text NOT NULL,
  verified_by text NOT NULL,
  matched_secret text,
  fingerprint text NOT NULL,
  lane text,
  received_at bigint NOT NULL,
  request text,
  body_seq bigint,
  due_at bigint NOT NULL,
  worker text,
  lease_ms bigint,
  fence bigint NOT NULL DEFAULT 0,
  attempts integer NOT NULL DEFAULT 0,
  base integer NOT NULL DEFAULT 0,
  started_at bigint,
  lost_at bigint,
  ended_at bigint,
  done text,
  only_for text,
  was_done integer NOT NULL DEFAULT 0,
  replayed integer NOT NULL DEFAULT 0,
  purged integer NOT NULL DEFAULT 0
)`,
      `CREATE INDEX IF NOT EXISTS hookbus_inbox_due ON ${records} (bus, due_at, seq) WHERE state = 'pending'`,
      `CREATE INDEX IF NOT EXISTS hookbus_inbox_lane ON ${records} (bus, lane, seq) WHERE state = 'pending' AND lane IS NOT NULL`,
      `CREATE INDEX IF NOT EXISTS hookbus_inbox_dead ON ${records} (seq) WHERE state = 'dead'`,
      `CREATE INDEX IF NOT EXISTS hookbus_inbox_shared ON ${records} (body_seq) WHERE body_seq IS NOT NULL`,
      `CREATE TABLE IF NOT EXISTS ${bodies} (seq bigint PRIMARY KEY, body ${bytes} NOT NULL)`,
      ...(postgres ? [`ALTER TABLE ${bodies} ALTER COLUMN body SET STORAGE EXTERNAL`] : []),
      `CREATE TABLE IF NOT EXISTS ${table("hookbus_inbox_mark")} (
  seq bigint NOT NULL,
  subscriber text NOT NULL,
  rejected integer NOT NULL,
  at bigint NOT NULL,
  fence bigint NOT NULL,
  PRIMARY KEY (seq, subscriber)
)`,
      `CREATE TABLE IF NOT EXISTS ${table("hookbus_inbox_attempt")} (
  seq bigint NOT NULL,
  attempt integer NOT NULL,
  started_at bigint NOT NULL,
  ended_at bigint,
  outcome text NOT NULL,
  failures text NOT NULL,
  PRIMARY KEY (seq, attempt)
)`,
      `CREATE TABLE IF NOT EXISTS ${table("hookbus_inbox_audit")} (
  seq bigint NOT NULL,
  at bigint NOT NULL,
  action text NOT NULL,
  subscribers text
)`,
      `CREATE INDEX IF NOT EXISTS hookbus_inbox_audit_seq ON ${table("hookbus_inbox_audit")} (seq)`,
    ],
  ];
}
