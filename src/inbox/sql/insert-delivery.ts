import type { Dialect, Plan, Value } from "../../databases/statement.ts";
import type { NewRecord, Recorded } from "../record.ts";
import { number, RECORD_COLUMNS, text, valuesOf } from "./rows.ts";

const COLUMNS = Object.keys(RECORD_COLUMNS);

/** Records one delivery; the events in it share its bytes. */
export function* insertDelivery(dialect: Dialect, now: Value, records: readonly NewRecord[]): Plan<Recorded[]> {
  const { table } = dialect;
  const insert = `INSERT INTO ${table("hookbus_inbox")} (${COLUMNS.join(", ")}, due_at, body_seq, ended_at)
SELECT ${COLUMNS.map(() => "?").join(", ")}, ${dialect.now}, ?, CASE WHEN ? = 1 THEN ${dialect.now} END
WHERE true ON CONFLICT (key) DO NOTHING RETURNING seq`;
  const recorded: Recorded[] = [];
  let bodyAt: number | undefined;
  for (const record of records) {
    const values = [...valuesOf(record), now, bodyAt ?? null, record.ignored ? 1 : 0, now];
    const [row] = (yield { text: insert, values }).rows;
    if (!row) {
      recorded.push(yield* duplicate(dialect, record.key));
      continue;
    }
    if (bodyAt === undefined) {
      bodyAt = number(row, "seq");
      yield {
        text: `INSERT INTO ${table("hookbus_inbox_body")} (seq, body) VALUES (?, ?)`,
        values: [bodyAt, record.body],
      };
    }
    recorded.push({ state: "recorded" });
  }
  return recorded;
}

function* duplicate({ table }: Dialect, key: string): Plan<Recorded> {
  const { rows } = yield { text: `SELECT fingerprint FROM ${table("hookbus_inbox")} WHERE key = ?`, values: [key] };
  return { state: "duplicate", fingerprint: rows[0] ? text(rows[0], "fingerprint") : "" };
}
