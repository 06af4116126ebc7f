import type Zlib from "node:zlib";

/** What a delivery's events were read from: its body, and the JSON in that. */
export interface Source {
  readonly body: Uint8Array;
  readonly payload: unknown;
}

/** What stands around the data is small, or it is not worth looking at. */
const AROUND_BYTES = 16_384;

let zlib: typeof Zlib | undefined;

/**
 * Short, and equal for equal data; the sender is authentic, so nobody gains by a collision. Data that stand in a `source`
 * are taken from there as they are written, which costs a fraction of writing them anew.
 */
export function fingerprintOf(data: unknown, source?: Source): string {
  const written = source && writtenIn(source, data);
  // Loading it takes a millisecond, which no start has to wait for.
  zlib ??= process.getBuiltinModule("node:zlib");
  // Of an integer with a sign V8 makes text five times as fast as of one beyond 31 bits, and no longer text.
  return (zlib.crc32(written ?? JSON.stringify(data) ?? "") | 0).toString(36);
}

/**
 * The bytes of a body from the name of the data to their end; nothing where they are not easily found.
 *
 * What stands around them at the body's own level is looked at byte by byte, from its start to the first place of the data's
 * name, and from its end to the last place of the next one: there is little of it, and each of Buffer's own searches costs
 * more than that.
 */
function writtenIn(source: Source, data: unknown): Uint8Array | undefined {
  const { payload } = source;
  // Of a delivery that is a list of events, each would be sought in all of the body.
  if (!isFields(data) || !isFields(payload)) return undefined;
  const { body } = source;
  if (data === payload) return body;
  let name: string | undefined;
  let next: string | undefined;
  for (const each in payload) {
    if (name !== undefined) {
      next = each;
      break;
    }
    if (payload[each] === data) name = each;
  }
  if (name === undefined) return undefined;
  const from = firstPlace(body, name);
  if (from < 0) return undefined;
  let end = lastPlace(body, next, Math.max(from, body.byteLength - AROUND_BYTES));
  if (end < 0) return undefined;
  while (end > from && isBetween(body[end - 1] as number)) end -= 1;
  return body.subarray(from, end);
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const [SPACE, QUOTE, COMMA, BACKSLASH] = [0x20, 0x22, 0x2c, 0x5c];
const [OBJECT, ARRAY, OBJECT_END, ARRAY_END] = [0x7b, 0x5b, 0x7d, 0x5d];

/** Where a name of the body's own level stands first, in its quotes; -1 where it does not soon. */
function firstPlace(bytes: Uint8Array, name: string): number {
  const most = Math.min(bytes.byteLength, AROUND_BYTES);
  let level = 0;
  let within = false;
  for (let at = 0; at < most; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      if (!within && level === 1 && isName(bytes, at, name)) return at;
      within = !within;
    } else if (within) {
      if (byte === BACKSLASH) at += 1;
    } else if (byte === OBJECT || byte === ARRAY) level += 1;
    else if (byte === OBJECT_END || byte === ARRAY_END) level -= 1;
  }
  return -1;
}

/** Where a name of the body's own level stands last, in its quotes, or without a name the body's end; -1 where not after `least`. */
function lastPlace(bytes: Uint8Array, name: string | undefined, least: number): number {
  let level = 0;
  let within = false;
  for (let at = bytes.byteLength - 1; at > least; at -= 1) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      // Of all quotes within a text, only the first has no backslash before it.
      if (within && bytes[at - 1] === BACKSLASH) continue;
      if (within && level === 1 && name !== undefined && isName(bytes, at, name)) return at;
      within = !within;
    } else if (within) continue;
    else if (byte === OBJECT_END || byte === ARRAY_END) {
      if (name === undefined) return at;
      level += 1;
    } else if (byte === OBJECT || byte === ARRAY) level -= 1;
  }
  return -1;
}

/** Whether the text that starts at `at` is the name of a field. One that JSON does not write as it is, is not found. */
function isName(bytes: Uint8Array, at: number, name: string): boolean {
  for (let index = 0; index < name.length; index += 1) {
    const code = name.charCodeAt(index);
    if (code !== bytes[at + 1 + index] || code === BACKSLASH || code > 0x7f) return false;
  }
  if (bytes[at + 1 + name.length] !== QUOTE) return false;
  // Of what else follows a comma, only items of a list are texts, at another level.
  let before = at - 1;
  while ((bytes[before] ?? OBJECT) <= SPACE) before -= 1;
  return bytes[before] === COMMA || bytes[before] === OBJECT;
}

/** Whether a byte only parts a value from the next name. */
function isBetween(byte: number): boolean {
  return byte <= SPACE || byte === COMMA;
}
