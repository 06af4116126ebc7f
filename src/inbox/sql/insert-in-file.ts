import type { Dialect, Plan, Row, Value } from "../../databases/statement.ts";
import type { NewRecord, Recorded } from "../record.ts";
import { insertDelivery } from "./insert-delivery.ts";
import { number, RECORD_COLUMNS, text, valuesOf } from "./rows.ts";
import { bySize } from "./sizes.ts";

/**
 * How many rows a statement has where there are as many. A driver's way into SQLite and back costs about as much as two
 * rows; more than eight gain nothing that could be measured.
 */
const TOGETHER = 8;

const COLUMNS = ["seq", ...Object.keys(RECORD_COLUMNS), "due_at", "ended_at"];

const RECORDED: Recorded = { state: "recorded" };

/**
 * Records deliveries in a transaction that nobody else can write beside, as SQLite's are: the numbers of the rows are
 * known before they are written, and no statement has to give anything back.
 */
export function* insertInFile(
  dialect: Dialect,
  now: Value,
  deliveries: readonly (readonly NewRecord[])[],
): Plan<readonly (readonly Recorded[])[]> {
  const singles = deliveries.flatMap((records) => (records.length === 1 ? records : []));
  const together: Recorded[] = [];
  if (singles.length > 0) {
    const [newest] = (yield { text: `SELECT coalesce(max(seq), 0) AS seq FROM ${dialect.table("hookbus_inbox")}` })
      .rows;
    let seq = newest ? number(newest, "seq") : 0;
    for (const records of groupsOf(singles)) {
      together.push(...(yield* insertRows(dialect, now, seq + 1, records)));
      seq += records.length;
    }
  }
  const all: (readonly Recorded[])[] = [];
  let next = 0;
  for (const records of deliveries) {
    all.push(records.length === 1 ? [together[next++] as Recorded] : yield* insertDelivery(dialect, now, records));
  }
  return all;
}

/** Records deliveries of one event each under the numbers from `first` on. */
function* insertRows(
  dialect: Dialect,
  now: Value,
  first: number,
  records: readonly NewRecord[],
): Plan<readonly Recorded[]> {
  const values: Value[] = [];
  for (const [index, record] of records.entries()) {
    values.push(first + index, ...valuesOf(record), now, record.ignored ? now : null);
  }
  if ((yield { text: textsOf(dialect, records.length).rows, values }).changes === records.length) {
    yield* insertBodies(dialect, first, records);
    return records.map(() => RECORDED);
  }
  const recorded: Recorded[] = [];
  for (const [index, record] of records.entries()) {
    const select = `SELECT seq, fingerprint FROM ${dialect.table("hookbus_inbox")} WHERE key = ?`;
    const [row] = (yield { text: select, values: [record.key] }).rows as [Row];
    const isNew = number(row, "seq") === first + index;
    if (isNew) yield* insertBodies(dialect, first + index, [record]);
    recorded.push(isNew ? RECORDED : { state: "duplicate", fingerprint: text(row, "fingerprint") });
  }
  return recorded;
}

function* insertBodies(dialect: Dialect, first: number, records: readonly NewRecord[]): Plan<void> {
  const values: Value[] = [];
  for (const [index, { body }] of records.entries()) values.push(first + index, body);
  yield { text: textsOf(dialect, records.length).bodies, values };
}

const textsOf = bySize(({ table }, rows) => ({
  rows: `INSERT INTO ${table("hookbus_inbox")} (${COLUMNS.join(", ")}) VALUES ${placesOf(rows, COLUMNS.length)} ON CONFLICT (key) DO NOTHING`,
  bodies: `INSERT INTO ${table("hookbus_inbox_body")} (seq, body) VALUES ${placesOf(rows, 2)}`,
}));

function placesOf(rows: number, columns: number): string {
  return Array(rows)
    .fill(`(${Array(columns).fill("?").join(", ")})`)
    .join(", ");
}

/** As many in a group as can be, the rest one by one: of each statement there are two. */
function groupsOf<Item>(items: readonly Item[]): (readonly Item[])[] {
  const groups: (readonly Item[])[] = [];
  for (let from = 0; from < items.length; ) {
    const size = items.length - from >= TOGETHER ? TOGETHER : 1;
    groups.push(items.slice(from, from + size));
    from += size;
  }
  return groups;
}
