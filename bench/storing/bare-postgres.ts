import type { ClientBase } from "pg";
import type { NewRecord } from "../../dist/inbox/record.js";
import { RECORD_COLUMNS, valuesOf } from "../../src/inbox/sql/rows.ts";

const COLUMNS = Object.keys(RECORD_COLUMNS);

/** Fills the inbox's own tables by one prepared statement, as large as the group: no look at duplicates. */
export async function bareInsert(client: ClientBase, schema: string, group: readonly NewRecord[]): Promise<void> {
  await client.query({
    name: `bare_${group.length}`,
    text: statement(schema, group.length),
    values: group.flatMap((each) => [...valuesOf(each), Date.now(), each.body]),
  });
}

const statements = new Map<string, string>();

function statement(schema: string, rows: number): string {
  const key = `${schema} ${rows}`;
  const known = statements.get(key) ?? insertOf(schema, rows);
  statements.set(key, known);
  return known;
}

function insertOf(schema: string, rows: number): string {
  const types = [...Object.values(RECORD_COLUMNS), "bigint", "bytea"];
  let place = 0;
  const values = Array.from({ length: rows }, () => `(${types.map((type) => `$${++place}::${type}`).join(", ")})`);
  const columns = [...COLUMNS, "due_at"].join(", ");
  return `WITH given (${columns}, body) AS (VALUES ${values.join(", ")}), made AS (
INSERT INTO ${schema}.hookbus_inbox (${columns}) SELECT ${columns} FROM given RETURNING seq, key)
INSERT INTO ${schema}.hookbus_inbox_body (seq, body)
SELECT made.seq, given.body FROM made JOIN given ON given.key = made.key`;
}
