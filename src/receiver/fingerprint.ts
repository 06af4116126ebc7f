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
 * A name in quotes can only be a whole text of the JSON. The first place of the data's and the last place of the next one are
 * those that are meant, if they are at the body's own level and names there.
 */
function writtenIn(source: Source, data: unknown): Uint8Array | undefined {
  const { payload } = source;
  // Of a delivery that is a list of events, each would be sought in all of the body.
  if (!isFields(data) || !isFields(payload) || source.body.byteLength < SMALL_BYTES) return undefined;
  const { body } = source;
  if (data === payload) return body;
  const names = Object.keys(payload);
  const at = names.findIndex((name) => payload[name] === data);
  if (at < 0) return undefined;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const from = bytes.indexOf(JSON.stringify(names[at]));
  const next = names[at + 1];
  const to = bytes.lastIndexOf(next === undefined ? "}" : JSON.stringify(next));
  if (from < 0 || to < from || from + bytes.byteLength - to > AROUND_BYTES) return undefined;
  if (!isName(bytes, from) || levelAfter(bytes, 0, from, 0) !== 1) return undefined;
  if ((next !== undefined && !isName(bytes, to)) || levelAfter(bytes, to, bytes.byteLength, 1) !== 0) return undefined;
  let end = to;
  while (end > from && isBetween(bytes[end - 1] as number)) end -= 1;
  return bytes.subarray(from, end);
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const [SPACE, QUOTE, COMMA, BACKSLASH] = [0x20, 0x22, 0x2c, 0x5c];
const [OBJECT, ARRAY, OBJECT_END, ARRAY_END] = [0x7b, 0x5b, 0x7d, 0x5d];

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
