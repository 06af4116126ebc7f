import type { Row, Value } from "../../databases/statement.ts";
import type { Mark } from "../polled/record-store.ts";
import type { Failure, Lease, NewRecord, RecordedRequest } from "../record.ts";

/** A whole number of a row: PostgreSQL gives large ones as text. */
export function number(row: Row, column: string): number {
  return Number(row[column]);
}

export function optionalNumber(row: Row, column: string): number | undefined {
  const value = row[column];
  return value === null || value === undefined ? undefined : Number(value);
}

export function text(row: Row, column: string): string {
  return String(row[column]);
}

export function optionalText(row: Row, column: string): string | undefined {
  const value = row[column];
  return value === null || value === undefined ? undefined : String(value);
}

export function bytes(row: Row, column: string): Uint8Array {
  const value = row[column] as Uint8Array | ArrayBuffer;
  if (Buffer.isBuffer(value)) return value;
  // `node:sqlite` gives a Uint8Array, and libsql's `all` the bare buffer.
  return ArrayBuffer.isView(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : Buffer.from(value);
}

/** What was written by `json`. */
export function parsed<T>(row: Row, column: string): T | undefined {
  const value = optionalText(row, column);
  return value === undefined ? undefined : (JSON.parse(value) as T);
}

/** As text, so that both databases hold the same; PostgreSQL's text cannot hold the character U+0000. */
export function json(value: unknown): string {
  const written = JSON.stringify(value);
  return written.includes("\\u0000") ? written.replaceAll("\\u0000", "\\ufffd") : written;
}

export const marksOf = (row: Row): readonly Mark[] => parsed<Mark[]>(row, "done") ?? [];
export const onlyOf = (row: Row): readonly string[] | undefined => parsed<string[]>(row, "only_for");
export const requestOf = (row: Row): RecordedRequest | undefined => parsed<RecordedRequest>(row, "request");
export const failuresOf = (row: Row): readonly Failure[] => parsed<Failure[]>(row, "failures") ?? [];

/** The lease says where its row is, so that no write has to look for the key. */
export function leaseOf(row: Row): Lease {
  return { key: text(row, "key"), fence: `${text(row, "seq")}.${text(row, "fence")}` };
}

/** The row and the fence of a lease; no row has number -1. */
export function heldBy({ fence }: Lease): { readonly seq: number; readonly fence: number } {
  const found = /^(\d{1,15})\.(\d{1,15})$/.exec(fence);
  return found ? { seq: Number(found[1]), fence: Number(found[2]) } : { seq: -1, fence: -1 };
}

/** The columns that a delivery fills, and their types, in the order of `valuesOf`. */
export const RECORD_COLUMNS = {
  key: "text",
  bus: "text",
  provider: "text",
  event_id: "text",
  type: "text",
  state: "text",
  verified_by: "text",
  matched_secret: "text",
  fingerprint: "text",
  lane: "text",
  received_at: "bigint",
  request: "text",
} as const;

export function valuesOf(record: NewRecord): Value[] {
  const { key, bus, provider, id, type, verifiedBy, matchedSecret, fingerprint, lane, receivedAt, request } = record;
  const state = record.ignored ? "ignored" : "pending";
  return [
    key,
    bus,
    provider,
    id,
    type ?? null,
    state,
    verifiedBy,
    matchedSecret ?? null,
    fingerprint,
    lane ?? null,
    receivedAt,
    request === undefined ? null : json(request),
  ];
}
