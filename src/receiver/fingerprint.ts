import type Zlib from "node:zlib";
import { isRecord } from "../providers/schemes/json.ts";

/** What a delivery's events were read from: its body, and the JSON in that. */
export interface Source {
  readonly body: Uint8Array;
  readonly payload: unknown;
}

let zlib: typeof Zlib | undefined;

/**
 * Short, and equal for equal data; the sender is authentic, so nobody gains by a collision. Data that stand in a `source`
 * are taken from there as they are written, which costs a fraction of writing them anew.
 */
export function fingerprintOf(data: unknown, source?: Source): string {
  const written = source && writtenIn(source, data);
  // Loading it takes a millisecond or so, which no start has to wait for; nor for what an import of node:process loads.
  zlib ??= process.getBuiltinModule("node:zlib");
  // Of an integer with a sign V8 makes text three times as fast as of one beyond 31 bits, and no longer text.
  return (zlib.crc32(written ?? JSON.stringify(data) ?? "") | 0).toString(36);
}

/**
 * The bytes of a body from the name of the data to their end; nothing where they are not easily found.
 *
 * They hold all of the data, and nothing else unless another name comes twice. What else the body says has no part in
 * whether they are found, but for its names.
 */
function writtenIn(source: Source, data: unknown): Uint8Array | undefined {
  const { payload } = source;
  // Of a delivery that is a list of events, each would be sought in all of the body.
  if (!isRecord(data) || !isRecord(payload)) return undefined;
  const { body } = source;
  if (data === payload) return body;
  let name: string | undefined;
  let next: string | undefined;
  for (const each in payload) {
    if (name !== undefined) {
      next = each;
      break;
    }
    // Names that are numbers come before all others here, wherever they stand in the body.
    if (startsWithDigit(each)) return undefined;
    if (payload[each] === data) name = each;
  }
  if (name === undefined) return undefined;
  const from = firstPlace(body, name);
  if (from < 0) return undefined;
  // Without a next name, all up to the bracket that ends the body.
  let end = next === undefined ? body.lastIndexOf(OBJECT_END) : lastPlace(body, next, name);
  if (end < from) return undefined;
  while (end > from && isBetween(body[end - 1] as number)) end -= 1;
  return body.subarray(from, end);
}

function startsWithDigit(name: string): boolean {
  const code = name.charCodeAt(0);
  return code >= 0x30 && code <= 0x39;
}

const [SPACE, QUOTE, COMMA, BACKSLASH] = [0x20, 0x22, 0x2c, 0x5c];
const [OBJECT, ARRAY, OBJECT_END, ARRAY_END] = [0x7b, 0x5b, 0x7d, 0x5d];

/*
 * Both go byte by byte from an end of the body to the data: there is little around them, and each of Buffer's own searches
 * costs more than that.
 */

/** Where a name of the body's own level stands first, in its quotes; -1 where it does not. */
function firstPlace(bytes: Uint8Array, name: string): number {
  // Asked for anew with each byte, it would take longer than all else.
  const { byteLength } = bytes;
  let level = 0;
  for (let at = 0; at < byteLength; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      if (level === 1 && isName(bytes, at) && reads(bytes, at, name)) return at;
      for (at += 1; at < byteLength && bytes[at] !== QUOTE; at += 1) if (bytes[at] === BACKSLASH) at += 1;
    } else if (byte === OBJECT || byte === ARRAY) level += 1;
    else if (byte === OBJECT_END || byte === ARRAY_END) level -= 1;
  }
  return -1;
}

/** Where a name of the body's own level stands last; -1 where `last`, whose last value is the one that counts, may stand behind it. */
function lastPlace(bytes: Uint8Array, name: string, last: string): number {
  let level = 0;
  for (let at = bytes.byteLength - 1; at >= 0; at -= 1) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      // Going backwards, a quote within a text has a backslash before it, and the quote that opens the text never does.
      for (at -= 1; at >= 0 && (bytes[at] !== QUOTE || bytes[at - 1] === BACKSLASH); ) at -= 1;
      if (level !== 1 || !isName(bytes, at)) continue;
      if (reads(bytes, at, last) || isEscaped(bytes, at)) return -1;
      if (reads(bytes, at, name)) return at;
    } else if (byte === OBJECT_END || byte === ARRAY_END) level += 1;
    else if (byte === OBJECT || byte === ARRAY) level -= 1;
  }
  return -1;
}

/** Whether a text is the name of a field: of what else follows a comma, only items of a list are texts, at another level. */
function isName(bytes: Uint8Array, at: number): boolean {
  let before = at - 1;
  while ((bytes[before] ?? OBJECT) <= SPACE) before -= 1;
  return bytes[before] === COMMA || bytes[before] === OBJECT;
}

/** Whether the text that begins at `at` is `name`. What JSON may write in several ways, it is not. */
function reads(bytes: Uint8Array, at: number, name: string): boolean {
  for (let index = 0; index < name.length; index += 1) {
    const code = name.charCodeAt(index);
    if (code !== bytes[at + 1 + index] || code === QUOTE || code === BACKSLASH || code > 0x7f) return false;
  }
  return bytes[at + 1 + name.length] === QUOTE;
}

/** Whether the text that begins at `at` is not written as it is: it may be any name. */
function isEscaped(bytes: Uint8Array, at: number): boolean {
  let end = at + 1;
  while (bytes[end] !== QUOTE && bytes[end] !== BACKSLASH) end += 1;
  return bytes[end] === BACKSLASH;
}

/** Whether a byte only parts a value from the next name. */
function isBetween(byte: number): boolean {
  return byte <= SPACE || byte === COMMA;
}
