import type { Dialect, Plan, Value } from "../../databases/statement.ts";
import type { RecordQuery, Replayed, ReplayOptions } from "../inbox.ts";
import { byKey, type Found, find } from "./manage.ts";
import { json, marksOf, number } from "./rows.ts";

/** How many records one transaction changes at the most: an operator's query may mean a million of them. */
export const AT_ONCE = 500;

/** The records that an operator means: one, or a page of those that fit a query. */
function* targets(dialect: Dialect, now: Value, target: string | RecordQuery): Plan<readonly Found[]> {
  return typeof target === "string" ? yield* byKey(dialect, now, target) : yield* find(dialect, now, target);
}

export interface Page<T> {
  readonly done: T;
  /** How many records were looked at, and the last of them, after which the next page begins. */
  readonly looked: number;
  readonly last: string | undefined;
}

export function* replay(
  dialect: Dialect,
  now: Value,
  target: string | RecordQuery,
  { subscribers, dryRun = false }: ReplayOptions,
): Plan<Page<Replayed>> {
  const replayed: string[] = [];
  const refused: Replayed["refused"][number][] = [];
  const found = yield* targets(dialect, now, target);
  for (const each of found) {
    const { key, state, purged } = each;
    if (purged) refused.push({ key, reason: "purged" });
    else if (state === "running") refused.push({ key, reason: "running" });
    else if (dryRun || (yield* again(dialect, now, each, subscribers))) replayed.push(key);
    // A worker took it just now.
    else refused.push({ key, reason: "running" });
  }
  return { done: { replayed, refused }, looked: found.length, last: found.at(-1)?.key };
}

function* again(
  dialect: Dialect,
  now: Value,
  { seq, state }: Found,
  subscribers: readonly string[] | undefined,
): Plan<boolean> {
  const { table, now: time } = dialect;
  const records = table("hookbus_inbox");
  // A first attempt that went well has no row yet, and would be forgotten with its times.
  yield {
    text: `INSERT INTO ${table("hookbus_inbox_attempt")} (seq, attempt, started_at, ended_at, outcome, failures)
SELECT seq, attempts, started_at, ended_at, 'done', '[]' FROM ${records} WHERE seq = ? AND state = 'done' AND started_at IS NOT NULL ON CONFLICT DO NOTHING`,
    values: [seq],
  };
  const taken = yield {
    text: `UPDATE ${records} SET was_done = ?, state = 'pending', worker = NULL, fence = fence + 1, base = attempts, due_at = ${time}, ended_at = NULL, only_for = ?, replayed = 1
WHERE seq = ? AND purged = 0 AND NOT (state = 'pending' AND worker IS NOT NULL AND due_at > ${time}) RETURNING done`,
    values: [state === "done" ? 1 : 0, now, subscribers ? json(subscribers) : null, seq, now],
  };
  const [row] = taken.rows;
  if (!row) return false;
  const kept = subscribers ? marksOf(row).filter(({ subscriber }) => !subscribers.includes(subscriber)) : [];
  yield { text: `UPDATE ${records} SET done = ? WHERE seq = ?`, values: [json(kept), seq] };
  const some = subscribers ? `AND subscriber IN (${subscribers.map(() => "?").join(", ") || "NULL"})` : "";
  yield {
    text: `DELETE FROM ${table("hookbus_inbox_mark")} WHERE seq = ? ${some}`,
    values: [seq, ...(subscribers ?? [])],
  };
  yield* audit(dialect, now, seq, "replay", subscribers);
  return true;
}

export function* discard(dialect: Dialect, now: Value, target: string | RecordQuery): Plan<Page<number>> {
  const { table, now: time } = dialect;
  const found = yield* targets(dialect, now, target);
  let discarded = 0;
  for (const { seq, state } of found) {
    if (state !== "pending" && state !== "dead") continue;
    const { changes } = yield {
      text: `UPDATE ${table("hookbus_inbox")} SET state = 'discarded', worker = NULL, fence = fence + 1, ended_at = ${time}
WHERE seq = ? AND (state = 'dead' OR (state = 'pending' AND (worker IS NULL OR due_at <= ${time})))`,
      values: [now, seq, now],
    };
    if (changes === 0) continue;
    discarded += 1;
    yield* audit(dialect, now, seq, "discard", undefined);
  }
  return { done: discarded, looked: found.length, last: found.at(-1)?.key };
}

function* audit(
  { table, now: time }: Dialect,
  now: Value,
  seq: number,
  action: string,
  subscribers: readonly string[] | undefined,
): Plan<void> {
  yield {
    text: `INSERT INTO ${table("hookbus_inbox_audit")} (seq, at, action, subscribers) SELECT seq, ${time}, ?, ? FROM ${table("hookbus_inbox")} WHERE seq = ?`,
    values: [now, action, subscribers ? json(subscribers) : null, seq],
  };
}

/** Drops what is past its time of some ended records; their keys stay. Says how many. */
export function* purge({ table, now: time }: Dialect, now: Value, retentionMs: number): Plan<number> {
  const records = table("hookbus_inbox");
  const { rows } = yield {
    text: `UPDATE ${records} SET purged = 1, request = NULL, done = NULL, only_for = NULL
WHERE seq IN (SELECT seq FROM ${records} WHERE purged = 0 AND state IN ('done', 'ignored', 'discarded') AND ended_at <= ${time} - ? ORDER BY seq LIMIT ?)
RETURNING seq, body_seq`,
    values: [now, retentionMs, AT_ONCE],
  };
  if (rows.length === 0) return 0;
  const seqs = rows.map((row) => number(row, "seq"));
  const places = seqs.map(() => "?").join(", ");
  for (const name of ["hookbus_inbox_mark", "hookbus_inbox_attempt"]) {
    yield { text: `DELETE FROM ${table(name)} WHERE seq IN (${places})`, values: seqs };
  }
  const bodies = [...new Set(rows.map((row) => Number(row["body_seq"] ?? row["seq"])))];
  // The bytes of a delivery stay for as long as one of its events needs them.
  yield {
    text: `DELETE FROM ${table("hookbus_inbox_body")} AS body WHERE seq IN (${bodies.map(() => "?").join(", ")})
AND NOT EXISTS (SELECT 1 FROM ${records} AS record WHERE record.seq = body.seq AND record.purged = 0)
AND NOT EXISTS (SELECT 1 FROM ${records} AS record WHERE record.body_seq = body.seq AND record.purged = 0)`,
    values: bodies,
  };
  return rows.length;
}
