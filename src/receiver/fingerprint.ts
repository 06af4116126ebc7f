import { crc32 } from "node:zlib";

/** What a delivery's events were read from: its body, and the JSON in that. */
export interface Source {
  readonly body: Uint8Array;
  readonly payload: unknown;
}

/** Below this, making text of the data takes less time than finding it in the body. */
const SMALL_BYTES = 1_024;

/** What stands around the data is small, or it is not worth looking at. */
const AROUND_BYTES = 16_384;

/**
 * Short, and equal for equal data; the sender is authentic, so nobody gains by a collision. Large data that stand in a
 * `source` are taken from there as they are written, which costs a fraction of writing them anew.
 */
export function fingerprintOf(data: unknown, source?: Source): string {
  const written = source && writtenIn(source, data);
  // By the size of the data alone: what else a body says may change from one delivery to the next.
  const bytes = written && written.byteLength >= SMALL_BYTES ? written : undefined;
  return crc32(bytes ?? JSON.stringify(data) ?? "").toString(36);
}

/**
 * The bytes of a body from the name of the data to their end; nothing where they are not easily found.
 *
 * A name in quotes can only be a whole text of the JSON. The first place of the data's at the body's own level and the last
 * place of the next one are those that are meant, if the latter is at that level, too. They are sought byte by byte: there are
 * few to look at, and each of Buffer's own searches costs more than that.
 */
function writtenIn(source: Source, data: unknown): Uint8Array | undefined {
  const { payload } = source;
  // Of a delivery that is a list of events, each would be sought in all of the body.
  if (!isFields(data) || !isFields(payload)) return undefined;
  const { body } = source;
  if (body.byteLength < SMALL_BYTES) return undefined;
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
  const from = name === undefined ? -1 : firstPlace(body, JSON.stringify(name));
  if (from < 0) return undefined;
  const to = lastPlace(body, next === undefined ? "}" : JSON.stringify(next), body.byteLength - AROUND_BYTES + from);
  if (to < from || levelAfter(body, to, body.byteLength, 1) !== 0) return undefined;
  let end = to;
  while (end > from && isBetween(body[end - 1] as number)) end -= 1;
  return body.subarray(from, end);
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const [SPACE, QUOTE, COMMA, BACKSLASH] = [0x20, 0x22, 0x2c, 0x5c];
const [OBJECT, ARRAY, OBJECT_END, ARRAY_END] = [0x7b, 0x5b, 0x7d, 0x5d];

/** Where a name of the body's own level stands first, in its quotes; -1 where it does not soon. */
function firstPlace(bytes: Uint8Array, quoted: string): number {
  const most = Math.min(bytes.byteLength, AROUND_BYTES);
  let level = 0;
  let within = false;
  for (let at = 0; at < most; at += 1) {
    const byte = bytes[at];
    if (within && byte === BACKSLASH) at += 1;
    else if (byte === QUOTE) {
      if (!within && level === 1 && reads(bytes, at, quoted) && isName(bytes, at)) return at;
      within = !within;
    } else if (within) continue;
    else if (byte === OBJECT || byte === ARRAY) level += 1;
    else if (byte === OBJECT_END || byte === ARRAY_END) level -= 1;
  }
  return -1;
}

/** Where a name in its quotes, or a bracket, stands last; -1 where it is none, or stands before `least`. */
function lastPlace(bytes: Uint8Array, text: string, least: number): number {
  const first = text.charCodeAt(0);
  for (let at = bytes.byteLength - text.length; at >= least && at >= 0; at -= 1) {
    if (bytes[at] === first && reads(bytes, at, text)) return first !== QUOTE || isName(bytes, at) ? at : -1;
  }
  return -1;
}

/** Whether a text stands at `at`. What takes more than a byte a character is not found. */
function reads(bytes: Uint8Array, at: number, text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code !== bytes[at + index] || code > 0x7f) return false;
  }
  return true;
}

/** Whether a text is the name of a field: of what else follows a comma, only items of a list are texts, at another level. */
function isName(bytes: Uint8Array, at: number): boolean {
  let before = at - 1;
  while ((bytes[before] ?? OBJECT) <= SPACE) before -= 1;
  return bytes[before] === COMMA || bytes[before] === OBJECT;
}

/** Whether a byte only parts a value from the next name. */
function isBetween(byte: number): boolean {
  return byte <= SPACE || byte === COMMA;
}

/** How many brackets are open after a part of a JSON text, where `level` of them were before it. */
function levelAfter(bytes: Uint8Array, from: number, to: number, level: number): number {
  let open = level;
  let within = false;
  for (let at = from; at < to; at += 1) {
    const byte = bytes[at];
    if (within && byte === BACKSLASH) at += 1;
    else if (byte === QUOTE) within = !within;
    else if (within) continue;
    else if (byte === OBJECT || byte === ARRAY) open += 1;
    else if (byte === OBJECT_END || byte === ARRAY_END) open -= 1;
  }
  return open;
}
