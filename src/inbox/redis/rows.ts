import type { Policy } from "../policy.ts";
import { subscriberStates } from "../polled/subscriber-states.ts";
import type {
  Attempt,
  AuditEntry,
  Failure,
  LeasedRecord,
  NewRecord,
  RecordDetails,
  RecordedRequest,
  RecordState,
  RecordSummary,
} from "../record.ts";

/** What BullMQ keeps of a record: its body as base64, unless other records share it. */
export interface JobData {
  readonly body?: string | undefined;
}

/** The fields of a job's hash. */
export type Fields = ReadonlyMap<string, string>;

/** A mark, and its place among the record's marks. */
interface Mark {
  readonly order: number;
  readonly subscriber: string;
  readonly rejected: boolean;
  readonly at: number;
}

export function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/** The fields that a record adds to those of its job, as `HSET` takes them. */
export function fieldsOf(record: NewRecord, shared: string | undefined): string[] {
  const { key, bus, provider, id, type, verifiedBy, matchedSecret, fingerprint, receivedAt, request } = record;
  const fields = {
    "h:key": key,
    "h:bus": bus,
    "h:provider": provider,
    "h:id": id,
    "h:type": type,
    "h:trust": verifiedBy,
    "h:secret": matchedSecret,
    "h:print": fingerprint,
    "h:at": String(receivedAt),
    "h:request": request && JSON.stringify(request),
    "h:shared": shared,
  };
  return Object.entries(fields).flatMap(([field, value]) => (value === undefined ? [] : [field, value]));
}

/** What a script answers of a hash: names and values, one after the other. */
export function fieldsFrom(flat: readonly string[]): Fields {
  const fields = new Map<string, string>();
  for (let index = 0; index < flat.length; index += 2) fields.set(flat[index] as string, flat[index + 1] as string);
  return fields;
}

/** `total` is the number of the attempt among all of the record, those before a replay included. */
export function leasedRecord(fields: Fields, total: number, body: string, token: string, policy: Policy): LeasedRecord {
  const attempt = total - numberOf(fields, "h:base");
  const marks = marksOf(fields);
  const only = fields.get("h:only");
  return {
    matchedSecret: fields.get("h:secret"),
    fingerprint: textOf(fields, "h:print"),
    request: requestOf(fields),
    body: Buffer.from(body, "base64"),
    lease: { key: textOf(fields, "h:key"), fence: token },
    attempt,
    attemptsLeft: policy.attempts - attempt,
    done: marks.map(({ subscriber }) => subscriber),
    rejected: marks.some(({ rejected }) => rejected),
    only: only === undefined ? undefined : (JSON.parse(only) as string[]),
    wasDone: fields.get("h:was") === "1",
    replayed: fields.has("h:replayed"),
    // Last: V8 takes microseconds for each property that follows a spread.
    ...identityOf(fields),
  };
}

export function summary(fields: Fields, state: RecordState): RecordSummary {
  const ended = fields.get("h:ended");
  return {
    state,
    attempts: numberOf(fields, "h:total") - numberOf(fields, "h:base"),
    dueAt: state === "pending" ? numberOf(fields, "h:due") : undefined,
    endedAt: ended === undefined ? undefined : Number(ended),
    purged: fields.has("h:purged"),
    ...identityOf(fields),
  };
}

export function details(fields: Fields, state: RecordState, shared: string | undefined): RecordDetails {
  const history = numbered(fields, "h:a:", attemptOf);
  return {
    matchedSecret: fields.get("h:secret"),
    request: requestOf(fields),
    body: bodyOf(fields, shared),
    subscribers: subscriberStates(marksOf(fields), history),
    history,
    audit: numbered(fields, "h:o:", auditEntryOf),
    ...summary(fields, state),
  };
}

/** Ended or not: the columns that a query asks for and that every view of a record has. */
function identityOf(
  fields: Fields,
): Pick<RecordSummary, "key" | "bus" | "provider" | "id" | "type" | "verifiedBy" | "receivedAt"> {
  return {
    key: textOf(fields, "h:key"),
    bus: textOf(fields, "h:bus"),
    provider: textOf(fields, "h:provider"),
    id: textOf(fields, "h:id"),
    type: fields.get("h:type"),
    verifiedBy: textOf(fields, "h:trust") as RecordSummary["verifiedBy"],
    receivedAt: numberOf(fields, "h:at"),
  };
}

function bodyOf(fields: Fields, shared: string | undefined): Uint8Array | undefined {
  if (fields.has("h:purged")) return undefined;
  return Buffer.from(shared ?? dataOf(fields).body ?? "", "base64");
}

export function dataOf(fields: Fields): JobData {
  return JSON.parse(fields.get("data") ?? "{}") as JobData;
}

function marksOf(fields: Fields): readonly Mark[] {
  const marks: Mark[] = [];
  for (const [field, value] of fields) {
    if (!field.startsWith("h:m:")) continue;
    const [order, how, at] = value.split(" ");
    marks.push({ order: Number(order), subscriber: field.slice(4), rejected: how === "rejected", at: Number(at) });
  }
  return marks.sort((one, other) => one.order - other.order);
}

/** The entries whose fields are numbered, in their order. */
function numbered<T>(fields: Fields, prefix: string, read: (text: string, number: number) => T): T[] {
  const entries: { readonly number: number; readonly text: string }[] = [];
  for (const [field, text] of fields) {
    if (field.startsWith(prefix)) entries.push({ number: Number(field.slice(prefix.length)), text });
  }
  return entries.sort((one, other) => one.number - other.number).map(({ number, text }) => read(text, number));
}

/** An attempt in few characters: it stays for ever. */
export function attemptText({ startedAt, endedAt, outcome, failures }: Omit<Attempt, "attempt">): string {
  const told = [startedAt, endedAt ?? null, outcome];
  return JSON.stringify(failures.length > 0 ? [...told, failures] : told);
}

function attemptOf(text: string, attempt: number): Attempt {
  const [startedAt, endedAt, outcome, failures = []] = JSON.parse(text) as [
    number,
    number | null,
    Attempt["outcome"],
    (readonly Failure[])?,
  ];
  return { attempt, startedAt, endedAt: endedAt ?? undefined, outcome, failures };
}

export function auditText({ at, action, subscribers }: AuditEntry): string {
  return JSON.stringify(subscribers ? [at, action, subscribers] : [at, action]);
}

function auditEntryOf(text: string): AuditEntry {
  const [at, action, subscribers] = JSON.parse(text) as [number, AuditEntry["action"], (readonly string[])?];
  return { at, action, subscribers };
}

function requestOf(fields: Fields): RecordedRequest | undefined {
  const request = fields.get("h:request");
  return request === undefined ? undefined : (JSON.parse(request) as RecordedRequest);
}

function textOf(fields: Fields, field: string): string {
  return fields.get(field) ?? "";
}

function numberOf(fields: Fields, field: string): number {
  return Number(fields.get(field) ?? 0);
}
