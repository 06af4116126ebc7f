import type { Dialect, Plan, Value } from "../../databases/statement.ts";
import { StaleTokenError } from "../../errors.ts";
import type { Change, Mark } from "../polled/record-store.ts";
import type { Lease } from "../record.ts";
import { heldBy, json, marksOf, number } from "./rows.ts";
import { statementsOf } from "./sizes.ts";

/** Writes what workers say of the records that they hold, and whether each still held its own. */
export function* write(dialect: Dialect, now: Value, changes: readonly Change[]): Plan<readonly boolean[]> {
  const held = new Map<Change, boolean>();
  const plain: PlainEnd[] = [];
  // A mark before the end of its attempt, which would refuse it.
  for (const change of yield* markTogether(dialect, changes.filter(isMark))) held.set(change, true);
  for (const change of changes) {
    if (isPlain(change)) plain.push(change);
    else if (change.kind !== "mark") held.set(change, yield* end(dialect, now, change));
  }
  for (const change of yield* endTogether(dialect, now, plain)) held.set(change, true);
  return changes.map((change) => held.get(change) ?? false);
}

type End = Exclude<Change, { kind: "mark" }>;

/** The end of a first attempt after which nothing is left: what nearly all are. */
type PlainEnd = Extract<Change, { kind: "end" }>;

function isPlain(change: Change): change is PlainEnd {
  return change.kind === "end" && change.first && change.outcome.outcome === "done";
}

type MarkChange = Extract<Change, { kind: "mark" }>;

function isMark(change: Change): change is MarkChange {
  return change.kind === "mark";
}

/**
 * Marks subscribers as done in as few statements as may be; gives those whose leases held. A mark that a transaction of
 * the user's has set is as good. Until this commits, heartbeats pass over the records: with a round trip for each mark,
 * that could take longer than a lease.
 */
function* markTogether({ table, share }: Dialect, changes: readonly MarkChange[]): Plan<readonly MarkChange[]> {
  // A statement cannot write one row twice. Of two leases of a record, only the newer one can hold.
  const newest = new Map<string, MarkChange>();
  const rowOf = ({ lease, mark }: MarkChange): string => `${heldBy(lease).seq} ${mark.subscriber}`;
  for (const change of changes) {
    const other = newest.get(rowOf(change));
    if (!other || heldBy(other.lease).fence < heldBy(change.lease).fence) newest.set(rowOf(change), change);
  }
  const made = new Set<string>();
  for (const { rows, size } of statementsOf([...newest.values()])) {
    const types = ["bigint", "bigint", "text", "integer", "bigint"].map((type) => `CAST(? AS ${type})`).join(", ");
    const answer = yield {
      text: `WITH given AS (SELECT column1 AS seq, column2 AS fence, column3 AS subscriber, column4 AS rejected, column5 AS at
  FROM (VALUES ${Array.from({ length: size }, () => `(${types})`).join(", ")}) AS line),
held AS (SELECT seq, fence FROM ${table("hookbus_inbox")} WHERE (seq, fence) IN (SELECT seq, fence FROM given) AND worker IS NOT NULL ${share})
INSERT INTO ${table("hookbus_inbox_mark")} (seq, subscriber, rejected, at, fence)
SELECT given.seq, given.subscriber, given.rejected, given.at, given.fence FROM given JOIN held ON held.seq = given.seq AND held.fence = given.fence
WHERE true ON CONFLICT (seq, subscriber) DO UPDATE SET rejected = excluded.rejected RETURNING seq, subscriber`,
      values: [
        ...rows.flatMap(({ lease, mark }): Value[] => {
          const { seq, fence } = heldBy(lease);
          return [seq, fence, mark.subscriber, mark.rejected ? 1 : 0, mark.at];
        }),
        ...Array.from({ length: (size - rows.length) * 5 }, () => null),
      ],
    };
    for (const row of answer.rows) made.add(`${number(row, "seq")} ${row["subscriber"]}`);
  }
  return changes.filter(
    (change) => made.has(rowOf(change)) && newest.get(rowOf(change))?.lease.fence === change.lease.fence,
  );
}

/** Ends attempts in as few statements as may be; gives those whose leases held. */
function* endTogether({ table, now: time }: Dialect, now: Value, ends: readonly PlainEnd[]): Plan<readonly PlainEnd[]> {
  const held = new Set<number>();
  for (const { rows, size } of statementsOf(ends)) {
    const { rows: ended } = yield {
      text: `UPDATE ${table("hookbus_inbox")} AS record SET state = 'done', worker = NULL, fence = record.fence + 1, ended_at = ${time}, done = given.column3
FROM (VALUES ${Array.from({ length: size }, () => "(CAST(? AS bigint), CAST(? AS bigint), CAST(? AS text))").join(", ")}) AS given
WHERE record.seq = given.column1 AND record.fence = given.column2 AND record.worker IS NOT NULL RETURNING seq`,
      values: [
        now,
        ...rows.flatMap(({ lease, marks }): Value[] => {
          const { seq, fence } = heldBy(lease);
          return [seq, fence, json(marks)];
        }),
        ...Array.from({ length: (size - rows.length) * 3 }, () => null),
      ],
    };
    for (const row of ended) held.add(number(row, "seq"));
  }
  return ends.filter(({ lease }) => held.has(heldBy(lease).seq));
}

/** Marks a subscriber as done in its own transaction; says whether the lease held, and the mark is new. */
function* mark({ table, share }: Dialect, lease: Lease, made: Mark): Plan<boolean> {
  const { seq, fence } = heldBy(lease);
  const answer = yield {
    text: `WITH held AS (SELECT seq, fence FROM ${table("hookbus_inbox")} WHERE seq = ? AND fence = ? AND worker IS NOT NULL ${share})
INSERT INTO ${table("hookbus_inbox_mark")} (seq, subscriber, rejected, at, fence)
SELECT seq, ?, ?, ?, fence FROM held WHERE true ON CONFLICT (seq, subscriber) DO NOTHING RETURNING seq`,
    values: [seq, fence, made.subscriber, made.rejected ? 1 : 0, made.at],
  };
  return answer.rows.length === 1;
}

/** Within a transaction that holds the subscriber's work: where it fails, all of that must be undone. */
export function* markOrFail(dialect: Dialect, lease: Lease, subscriber: string, at: number): Plan<void> {
  if (yield* mark(dialect, lease, { subscriber, rejected: false, at })) return;
  throw new StaleTokenError(
    `the lease of "${lease.key}" is over, or "${subscriber}" was done with the event before: its transaction is rolled back`,
  );
}

/** What the SQL of `markWithin` fails with where the lease is over. */
const OVER = "hookbus: this lease is over, or the subscriber was done before";

/**
 * The same within a transaction of the user's. What an ORM answers may have any shape, so that on PostgreSQL it is the
 * statement itself that fails: a count is added to a text which is no number.
 */
export function* markWithin(dialect: Dialect, lease: Lease, subscriber: string, at: number): Plan<void> {
  const made = yield* mark(dialect, lease, { subscriber, rejected: false, at });
  if (dialect.name === "sqlite") {
    if (!made) throw new StaleTokenError(`the lease of "${lease.key}" is over: roll your transaction back`);
    return;
  }
  const { seq, fence } = heldBy(lease);
  yield {
    text: `SELECT CASE WHEN count(*) = 1 THEN 1 ELSE ('${OVER} ' || count(*))::integer END AS held
FROM ${dialect.table("hookbus_inbox_mark")} WHERE seq = ? AND subscriber = ? AND fence = ?`,
    values: [seq, subscriber, fence],
  };
}

/** The error that `markWithin` means, whatever an ORM has wrapped it in. */
export function overOf(error: unknown, key: string): unknown {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each.message.includes(OVER)) {
      return new StaleTokenError(`the lease of "${key}" is over: your transaction is rolled back`, { cause: error });
    }
  }
  return error;
}

function* end(dialect: Dialect, now: Value, change: End): Plan<boolean> {
  const { table, now: time } = dialect;
  const { seq, fence } = heldBy(change.lease);
  const given = change.kind === "give back";
  const outcome = given ? undefined : change.outcome;
  const again = outcome === undefined || outcome.outcome === "failed";
  const dueInMs = given ? 0 : change.dueInMs;
  // Another fence: whatever this worker might still say is refused.
  const { rows } = yield {
    text: `UPDATE ${table("hookbus_inbox")} SET state = ?, worker = NULL, fence = fence + 1, due_at = ${time} + ?, ended_at = CASE WHEN ? = 1 THEN NULL ELSE ${time} END
WHERE seq = ? AND fence = ? AND worker IS NOT NULL RETURNING attempts, started_at, due_at, done`,
    values: [again ? "pending" : outcome.outcome, now, dueInMs, again ? 1 : 0, now, seq, fence],
  };
  const [row] = rows;
  if (!row) return false;
  const before = marksOf(row);
  const fresh = change.marks.filter(({ subscriber }) => !before.some((each) => each.subscriber === subscriber));
  if (fresh.length > 0) {
    const text = `UPDATE ${table("hookbus_inbox")} SET done = ? WHERE seq = ?`;
    yield { text, values: [json([...before, ...fresh]), seq] };
  }
  yield {
    text: `INSERT INTO ${table("hookbus_inbox_attempt")} (seq, attempt, started_at, ended_at, outcome, failures) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    values: [
      seq,
      number(row, "attempts"),
      number(row, "started_at"),
      number(row, "due_at") - dueInMs,
      outcome?.outcome ?? "given back",
      json(outcome && "failures" in outcome ? outcome.failures : []),
    ],
  };
  return true;
}
