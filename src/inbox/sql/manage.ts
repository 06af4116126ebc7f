import type { Dialect, Plan, Row, Value } from "../../databases/statement.ts";
import type { RecordCounts, RecordQuery } from "../inbox.ts";
import { asked, STATES } from "../polled/query.ts";
import type { Mark } from "../polled/record-store.ts";
import { subscriberStates } from "../polled/subscriber-states.ts";
import type { Attempt, AuditEntry, RecordDetails, RecordState, RecordSummary } from "../record.ts";
import { bytes, failuresOf, marksOf, number, optionalNumber, optionalText, parsed, requestOf, text } from "./rows.ts";

/** Whether a worker has a record: its lease has not run out. */
const running = ({ now }: Dialect): string => `(state = 'pending' AND worker IS NOT NULL AND due_at > ${now})`;

const summaryColumns = (dialect: Dialect): string =>
  `seq, key, bus, provider, event_id, type, state, verified_by, received_at, due_at, ended_at, attempts, base, purged, ${running(dialect)} AS running`;

/** A record, and where it is. */
export type Found = RecordSummary & { readonly seq: number };

export function* byKey(dialect: Dialect, now: Value, key: string): Plan<readonly Found[]> {
  const { rows } = yield {
    text: `SELECT ${summaryColumns(dialect)} FROM ${dialect.table("hookbus_inbox")} WHERE key = ?`,
    values: [now, key],
  };
  return rows.map(found);
}

/** The records that a query means, the newest first. */
export function* find(dialect: Dialect, now: Value, query: RecordQuery): Plan<readonly Found[]> {
  const { bus, state, type, id, since, until, limit = 100, after } = asked(query);
  const records = dialect.table("hookbus_inbox");
  const conditions: string[] = [];
  const values: Value[] = [now];
  const where = (condition: string, ...given: readonly Value[]): void => {
    conditions.push(condition);
    values.push(...given);
  };
  if (bus !== undefined) where("bus = ?", bus);
  if (type !== undefined) where("type = ?", type);
  if (id !== undefined) where("event_id = ?", id);
  if (since !== undefined) where("received_at >= ?", since);
  if (until !== undefined) where("received_at < ?", until);
  if (after !== undefined) where(`seq < (SELECT seq FROM ${records} WHERE key = ?)`, after);
  if (state === "running") where(running(dialect), now);
  // Spelt out, so that the indexes of those states serve.
  else if (state === "pending") where(`state = 'pending' AND NOT ${running(dialect)}`, now);
  else if (state === "dead") where("state = 'dead'");
  else if (state !== undefined) where("state = ?", state);
  const filter = conditions.length > 0 ? `WHERE ${conditions.join(" AND ")}` : "";
  const { rows } = yield {
    text: `SELECT ${summaryColumns(dialect)} FROM ${records} ${filter} ORDER BY seq DESC LIMIT ?`,
    values: [...values, limit],
  };
  return rows.map(found);
}

export function* get(dialect: Dialect, now: Value, key: string): Plan<RecordDetails | undefined> {
  const { table } = dialect;
  const { rows } = yield {
    text: `SELECT ${summaryColumns(dialect)}, matched_secret, request, body_seq, done, started_at FROM ${table("hookbus_inbox")} WHERE key = ?`,
    values: [now, key],
  };
  const [row] = rows;
  if (!row) return undefined;
  const seq = number(row, "seq");
  const body = yield {
    text: `SELECT body FROM ${table("hookbus_inbox_body")} WHERE seq = ?`,
    values: [optionalNumber(row, "body_seq") ?? seq],
  };
  const marks = yield {
    text: `SELECT subscriber, rejected, at FROM ${table("hookbus_inbox_mark")} WHERE seq = ? ORDER BY at`,
    values: [seq],
  };
  const attempts = yield {
    text: `SELECT attempt, started_at, ended_at, outcome, failures FROM ${table("hookbus_inbox_attempt")} WHERE seq = ? ORDER BY attempt`,
    values: [seq],
  };
  const audit = yield {
    text: `SELECT at, action, subscribers FROM ${table("hookbus_inbox_audit")} WHERE seq = ? ORDER BY at`,
    values: [seq],
  };
  const known = summary(row);
  const history = historyOf(row, attempts.rows);
  const [bodyRow] = body.rows;
  const kept = new Map<string, Mark>();
  for (const mark of [...marks.rows.map(markOf), ...marksOf(row)]) kept.set(mark.subscriber, mark);
  return {
    ...known,
    matchedSecret: optionalText(row, "matched_secret"),
    request: requestOf(row),
    body: bodyRow && !known.purged ? bytes(bodyRow, "body") : undefined,
    subscribers: subscriberStates([...kept.values()], history),
    history,
    audit: audit.rows.map(
      (each): AuditEntry => ({
        at: number(each, "at"),
        action: text(each, "action") as AuditEntry["action"],
        subscribers: parsed<string[]>(each, "subscribers"),
      }),
    ),
  };
}

export function* counts(dialect: Dialect, now: Value): Plan<RecordCounts> {
  const all = Object.fromEntries(STATES.map((state) => [state, 0])) as Record<RecordState, number>;
  const { rows } = yield {
    text: `SELECT state, running, count(*) AS records FROM (SELECT state, ${running(dialect)} AS running FROM ${dialect.table("hookbus_inbox")}) AS record GROUP BY state, running`,
    values: [now],
  };
  for (const row of rows) all[stateOf(row)] += number(row, "records");
  return all;
}

function found(row: Row): Found {
  return { ...summary(row), seq: number(row, "seq") };
}

function summary(row: Row): RecordSummary {
  const state = stateOf(row);
  return {
    key: text(row, "key"),
    bus: text(row, "bus"),
    provider: text(row, "provider"),
    id: text(row, "event_id"),
    type: optionalText(row, "type"),
    state,
    verifiedBy: text(row, "verified_by") as RecordSummary["verifiedBy"],
    receivedAt: number(row, "received_at"),
    attempts: number(row, "attempts") - number(row, "base"),
    dueAt: state === "pending" ? number(row, "due_at") : undefined,
    endedAt: optionalNumber(row, "ended_at"),
    purged: number(row, "purged") === 1,
  };
}

/** SQLite has 1 and 0 for true and false. */
const isTrue = (value: unknown): boolean => value === true || Number(value) === 1;

function stateOf(row: Row): RecordState {
  return isTrue(row["running"]) ? "running" : (text(row, "state") as RecordState);
}

function historyOf(row: Row, attempts: readonly Row[]): Attempt[] {
  const history = attempts.map(
    (each): Attempt => ({
      attempt: number(each, "attempt"),
      startedAt: number(each, "started_at"),
      endedAt: optionalNumber(each, "ended_at"),
      outcome: text(each, "outcome") as Attempt["outcome"],
      failures: failuresOf(each),
    }),
  );
  // A first attempt that went well has no row of its own.
  const startedAt = optionalNumber(row, "started_at");
  if (text(row, "state") === "done" && history.length === 0 && startedAt !== undefined) {
    const attempt = number(row, "attempts");
    history.push({ attempt, startedAt, endedAt: optionalNumber(row, "ended_at"), outcome: "done", failures: [] });
  }
  return history;
}

function markOf(row: Row): Mark {
  return { subscriber: text(row, "subscriber"), rejected: number(row, "rejected") === 1, at: number(row, "at") };
}
