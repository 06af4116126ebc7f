import type { Dialect, Plan, Row, Value } from "../../databases/statement.ts";
import type { Policy } from "../policy.ts";
import type { LeaseRequest, Mark } from "../polled/record-store.ts";
import type { Lease, LeasedRecord } from "../record.ts";
import {
  bytes,
  heldBy,
  leaseOf,
  marksOf,
  number,
  onlyOf,
  optionalNumber,
  optionalText,
  requestOf,
  text,
} from "./rows.ts";

export interface LeaseTerms extends LeaseRequest {
  readonly now: Value;
  /** What the worker is called, for whoever looks at the table. */
  readonly worker: string;
  readonly policy: Policy;
  /** Whether events may have lanes. */
  readonly ordered: boolean;
}

/** Leases what is due. Several statements, of which the first alone decides. */
export function* lease(dialect: Dialect, terms: LeaseTerms): Plan<readonly LeasedRecord[]> {
  const { now, worker, bus, limit, policy } = terms;
  const { leaseMs } = policy;
  const values: Value[] = [bus, now, limit, worker, now, now, leaseMs, leaseMs];
  const { rows } = yield { text: leaseText(dialect, terms.ordered), values };
  if (rows.length === 0) return [];
  for (const row of rows) {
    const lostAt = optionalNumber(row, "lost_at");
    if (lostAt === undefined) continue;
    yield {
      text: `INSERT INTO ${dialect.table("hookbus_inbox_attempt")} (seq, attempt, started_at, outcome, failures) VALUES (?, ?, ?, 'lost', '[]') ON CONFLICT DO NOTHING`,
      values: [number(row, "seq"), number(row, "attempts") - 1, lostAt],
    };
  }
  const bodies = yield* bodiesOf(dialect, rows);
  const marks = yield* marksFor(dialect, rows);
  return rows
    .map((row) => record(row, bodies, marks, policy))
    .sort((one, other) => heldBy(one.lease).seq - heldBy(other.lease).seq);
}

function leaseText({ table, now, skipLocked }: Dialect, ordered: boolean): string {
  const records = table("hookbus_inbox");
  // Nothing of the lane may stand before it, or be with a worker.
  const leads = `AND (lane IS NULL OR NOT EXISTS (SELECT 1 FROM ${records} AS other
  WHERE other.bus = record.bus AND other.lane = record.lane AND other.state = 'pending'
  AND other.seq <> record.seq AND (other.seq < record.seq OR other.worker IS NOT NULL)))`;
  return `WITH due AS (SELECT seq FROM ${records} AS record
  WHERE bus = ? AND state = 'pending' AND due_at <= ${now} ${ordered ? leads : ""}
  ORDER BY due_at, seq LIMIT ? ${skipLocked})
UPDATE ${records} SET worker = ?, fence = fence + 1, attempts = attempts + 1,
  lost_at = CASE WHEN worker IS NULL THEN NULL ELSE started_at END,
  started_at = ${now}, due_at = ${now} + ?, lease_ms = ?
WHERE seq IN (SELECT seq FROM due) AND state = 'pending'
RETURNING seq, key, bus, provider, event_id, type, verified_by, matched_secret, fingerprint, received_at, request, body_seq,
  fence, attempts, base, lost_at, done, only_for, was_done, replayed`;
}

const bodySeq = (row: Row): number => optionalNumber(row, "body_seq") ?? number(row, "seq");

function* bodiesOf({ table }: Dialect, rows: readonly Row[]): Plan<ReadonlyMap<number, Uint8Array>> {
  const seqs = [...new Set(rows.map(bodySeq))];
  const select = `SELECT seq, body FROM ${table("hookbus_inbox_body")} WHERE seq IN (${seqs.map(() => "?").join(", ")})`;
  const answer = yield { text: select, values: seqs };
  return new Map(answer.rows.map((row) => [number(row, "seq"), bytes(row, "body")]));
}

/** The marks that no end of an attempt has copied yet; a first attempt has none. */
function* marksFor({ table }: Dialect, rows: readonly Row[]): Plan<ReadonlyMap<number, readonly Mark[]>> {
  const marks = new Map<number, Mark[]>();
  const seqs = rows.filter((row) => number(row, "attempts") > 1).map((row) => number(row, "seq"));
  if (seqs.length === 0) return marks;
  const select = `SELECT seq, subscriber, rejected, at FROM ${table("hookbus_inbox_mark")} WHERE seq IN (${seqs.map(() => "?").join(", ")}) ORDER BY at`;
  const answer = yield { text: select, values: seqs };
  for (const row of answer.rows) {
    const seq = number(row, "seq");
    const mark = {
      subscriber: text(row, "subscriber"),
      rejected: number(row, "rejected") === 1,
      at: number(row, "at"),
    };
    marks.set(seq, [...(marks.get(seq) ?? []), mark]);
  }
  return marks;
}

function record(
  row: Row,
  bodies: ReadonlyMap<number, Uint8Array>,
  marks: ReadonlyMap<number, readonly Mark[]>,
  policy: Policy,
): LeasedRecord {
  const attempt = number(row, "attempts") - number(row, "base");
  const kept = [...marksOf(row), ...(marks.get(number(row, "seq")) ?? [])];
  return {
    key: text(row, "key"),
    bus: text(row, "bus"),
    provider: text(row, "provider"),
    id: text(row, "event_id"),
    type: optionalText(row, "type"),
    verifiedBy: text(row, "verified_by") as LeasedRecord["verifiedBy"],
    matchedSecret: optionalText(row, "matched_secret"),
    fingerprint: text(row, "fingerprint"),
    receivedAt: number(row, "received_at"),
    request: requestOf(row),
    body: bodies.get(bodySeq(row)) ?? new Uint8Array(),
    lease: leaseOf(row),
    attempt,
    attemptsLeft: policy.attempts - attempt,
    done: [...new Set(kept.map(({ subscriber }) => subscriber))],
    rejected: kept.some(({ rejected }) => rejected),
    only: onlyOf(row),
    wasDone: number(row, "was_done") === 1,
    replayed: number(row, "replayed") === 1,
  };
}

/** The heartbeat: says which leases are lost. Rows that are being written are passed over, and not lost for that. */
export function* extend(
  { table, now: time, skipLocked }: Dialect,
  now: Value,
  leaseMs: number,
  leases: readonly Lease[],
): Plan<readonly Lease[]> {
  const held = leases.map(heldBy);
  const places = held.map(() => "(CAST(? AS bigint), CAST(? AS bigint))").join(", ");
  const values = held.flatMap(({ seq, fence }) => [seq, fence]);
  const records = table("hookbus_inbox");
  yield {
    text: `WITH held AS (SELECT seq FROM ${records} WHERE (seq, fence) IN (VALUES ${places}) AND worker IS NOT NULL ${skipLocked})
UPDATE ${records} SET due_at = ${time} + ? WHERE seq IN (SELECT seq FROM held)`,
    values: [...values, now, leaseMs],
  };
  const { rows } = yield {
    text: `SELECT seq FROM ${records} WHERE (seq, fence) IN (VALUES ${places}) AND worker IS NOT NULL`,
    values,
  };
  const left = new Set(rows.map((row) => number(row, "seq")));
  return leases.filter((each) => !left.has(heldBy(each).seq));
}

/**
 * After the clock was put back: a lease that ends further in the future than any heartbeat could have set it, whose worker
 * may be long gone, is to end a lease's time from now, before which a living worker sends its heartbeat; and what has had
 * no attempt yet is due.
 */
export function* freeFromTheFuture({ table, now: time }: Dialect, now: Value, bus: string): Plan<void> {
  yield {
    text: `UPDATE ${table("hookbus_inbox")} SET due_at = ${time} + CASE WHEN worker IS NULL THEN 0 ELSE lease_ms END
WHERE bus = ? AND state = 'pending' AND due_at > ${time} + 1000
AND ((worker IS NULL AND attempts = base) OR (worker IS NOT NULL AND due_at > ${time} + 2 * lease_ms))`,
    values: [now, bus, now, now],
  };
}
