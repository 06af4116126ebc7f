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

/** What never changes of a record, and no script of its delivery reads: one field, in this order. */
export const FACTS = ["key", "bus", "provider", "id", "type", "verifiedBy", "matchedSecret", "receivedAt"] as const;

/** What is left of a record for ever has no field longer than that, which Redis packs (`hash-max-listpack-value`). */
export const PIECE = 64;

/** The fields of a record that a worker is told of, beside its marks. */
export const LEASED = [
  "h:seq",
  "h:facts",
  "h:print",
  "h:request",
  "h:shared",
  "h:run",
  "h:end",
  "h:base",
  "h:only",
  "h:was",
  "h:replayed",
] as const;

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
  const { fingerprint, request } = record;
  const fields = ["h:facts", factsText(record), "h:print", fingerprint];
  if (request) fields.push("h:request", JSON.stringify(request));
  if (shared !== undefined) fields.push("h:shared", shared);
  return fields;
}

const ASCII = /^[ -~]*$/;

/** In ASCII: it may be cut anywhere. */
function factsText(record: NewRecord): string {
  const text = JSON.stringify(FACTS.map((fact) => record[fact]));
  // Half a character is written as an escape.
  if (ASCII.test(text) && !text.includes("\\ud")) return text;
  const facts = FACTS.map((fact) => {
    const value = record[fact];
    // Half a character is no JSON to the server; wherever else it comes in a text, the server gets the same for it.
    return typeof value === "string" ? value.replace(/\p{Cs}/gu, "\ufffd") : value;
  });
  return JSON.stringify(facts).replace(/[^ -~]/g, escaped);
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
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
  const facts = factsOf(fields);
  const marks = marksOf(fields);
  const only = fields.get("h:only");
  return {
    matchedSecret: facts.matchedSecret,
    fingerprint: textOf(fields, "h:print"),
    request: requestOf(fields),
    body: Buffer.from(body, "base64"),
    lease: { key: facts.key, fence: token },
    attempt,
    attemptsLeft: policy.attempts - attempt,
    done: marks.map(({ subscriber }) => subscriber),
    rejected: marks.some(({ rejected }) => rejected),
    only: only === undefined ? undefined : (JSON.parse(only) as string[]),
    wasDone: fields.get("h:was") === "1",
    replayed: fields.has("h:replayed"),
    // Last: V8 takes microseconds for each property that follows a spread.
    ...identityOf(facts),
  };
}

export function summary(fields: Fields, state: RecordState): RecordSummary {
  const facts = factsOf(fields);
  const [total] = textOf(fields, "h:run").split(" ");
  const [, endedAt] = textOf(fields, "h:end").split(" ");
  return {
    state,
    attempts: Number(total) - numberOf(fields, "h:base"),
    dueAt: state === "pending" ? Number(fields.get("h:due") ?? facts.receivedAt) : undefined,
    endedAt: endedAt === undefined ? undefined : Number(endedAt),
    purged: fields.has("h:purged"),
    ...identityOf(facts),
  };
}

export function details(fields: Fields, state: RecordState, shared: string | undefined): RecordDetails {
  const history = numbered(fields, "h:a:", attemptOf);
  return {
    matchedSecret: factsOf(fields).matchedSecret,
    request: requestOf(fields),
    body: bodyOf(fields, shared),
    subscribers: subscriberStates(marksOf(fields), history),
    history,
    audit: numbered(fields, "h:o:", auditEntryOf),
    ...summary(fields, state),
  };
}

type Identity = Pick<RecordSummary, "key" | "bus" | "provider" | "id" | "type" | "verifiedBy" | "receivedAt">;

/** Ended or not: what a query asks for and every view of a record has. */
function identityOf({ key, bus, provider, id, type, verifiedBy, receivedAt }: Facts): Identity {
  return { key, bus, provider, id, type, verifiedBy, receivedAt };
}

interface Facts extends Identity {
  readonly matchedSecret: string | undefined;
}

function factsOf(fields: Fields): Facts {
  let text = textOf(fields, "h:facts");
  // Of a purged record they are in pieces, each of which is named after where it begins.
  for (;;) {
    const piece = fields.get(`h:facts:${text.length + 1}`);
    if (piece === undefined) break;
    text += piece;
  }
  const [key, bus, provider, id, type, verifiedBy, matchedSecret, receivedAt] = JSON.parse(text);
  return {
    key,
    bus,
    provider,
    id,
    type: type ?? undefined,
    verifiedBy,
    matchedSecret: matchedSecret ?? undefined,
    receivedAt,
  };
}

export function keyOf(fields: Fields): string {
  return factsOf(fields).key;
}

/** The place of the last mark among the record's marks; 0 where there is none. */
export function lastMark(fields: Fields): number {
  return marksOf(fields).at(-1)?.order ?? 0;
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
