import type { Dialect, Plan, Value } from "../../databases/statement.ts";
import type { NewRecord, Recorded } from "../record.ts";
import { RECORD_COLUMNS, text, valuesOf } from "./rows.ts";
import { bySize, statementsOf } from "./sizes.ts";

const COLUMNS = Object.keys(RECORD_COLUMNS);

/**
 * Records deliveries of one event each in one statement, for a server at the end of a wire. Rows go in by the order of
 * their keys: two statements that share keys then wait for each other, and neither for ever.
 */
export function* insertTogether(
  dialect: Dialect,
  now: Value,
  records: readonly NewRecord[],
): Plan<readonly Recorded[]> {
  const firsts = new Map<string, NewRecord>();
  for (const record of records) if (!firsts.has(record.key)) firsts.set(record.key, record);
  const sorted = [...firsts.values()].sort((one, other) => (one.key < other.key ? -1 : 1));
  const made = new Set<string>();
  for (const { rows, size } of statementsOf(sorted)) {
    const values: Value[] = [];
    for (const record of rows) values.push(...valuesOf(record), record.body);
    for (let place = values.length; place < size * (COLUMNS.length + 1); place += 1) values.push(null);
    values.push(now, now);
    const answer = yield { text: together(dialect, size), values };
    // pg puts its queries where only a major garbage collection finds them: the bodies need not wait for that.
    values.length = 0;
    for (const row of answer.rows) made.add(text(row, "key"));
  }
  const known = new Map<string, string>();
  if (made.size < sorted.length) {
    const missing = sorted.filter(({ key }) => !made.has(key));
    const places = missing.map(() => "?").join(", ");
    const select = `SELECT key, fingerprint FROM ${dialect.table("hookbus_inbox")} WHERE key IN (${places})`;
    const { rows } = yield { text: select, values: missing.map(({ key }) => key) };
    for (const row of rows) known.set(text(row, "key"), text(row, "fingerprint"));
  }
  return records.map(({ key }): Recorded => {
    // Of several in this very statement, the first one made the row.
    if (made.delete(key)) return { state: "recorded" };
    return { state: "duplicate", fingerprint: known.get(key) ?? (firsts.get(key) as NewRecord).fingerprint };
  });
}

const together = bySize(({ table, now, bytes }, size) => {
  const types = [...Object.values(RECORD_COLUMNS), bytes];
  // The types of the first row are those of all.
  const rows = Array.from(
    { length: size },
    (_, row) => `(${types.map((type) => (row ? "?" : `?::${type}`)).join(", ")})`,
  );
  const columns = COLUMNS.join(", ");
  return `WITH given (${columns}, body) AS (VALUES ${rows.join(", ")}), made AS (
INSERT INTO ${table("hookbus_inbox")} (${columns}, due_at, ended_at)
SELECT ${columns}, ${now}, CASE WHEN state = 'ignored' THEN ${now} END FROM given WHERE key IS NOT NULL
ON CONFLICT (key) DO NOTHING RETURNING seq, key), kept AS (
INSERT INTO ${table("hookbus_inbox_body")} (seq, body) SELECT made.seq, given.body FROM made JOIN given ON given.key = made.key)
SELECT key FROM made`;
});
