import { crc32 } from "node:zlib";

/** What a delivery's events were read from: its body, and the JSON in that. */
export interface Source {
  readonly body: Uint8Array;
  readonly payload: unknown;
}

/** Below this, making text of the data takes less time than finding it in the body. */
const SMALL_BYTES = 1_024;

/** What stands around the data is small, or it is not worth looking at. */
const AROUND_BYTES = 2_048;

/**
 * Short, and equal for equal data; the sender is authentic, so nobody gains by a collision. Data that stand in a `source`
 * are taken from there as they are written, which costs a fraction of writing them anew.
 */
export function fingerprintOf(data: unknown, source?: Source): string {
  const written = source && source.body.byteLength >= SMALL_BYTES ? writtenIn(source, data) : undefined;
  return crc32(written ?? JSON.stringify(data) ?? "").toString(36);
}

/**
 * The bytes of a body from the name of the data to the name of what comes after; nothing where they are not easily found.
 *
 * A name in quotes can only be a whole text of the JSON. The first place of the one and the last place of the other are those
 * that are meant, if they are at the body's own level and names there.
 */
function writtenIn({ body, payload }: Source, data: unknown): Uint8Array | undefined {
  if (data === payload) return body;
  if (typeof data !== "object" || typeof payload !== "object" || payload === null) return undefined;
  const names = Object.keys(payload);
  const at = names.findIndex((name) => (payload as Readonly<Record<string, unknown>>)[name] === data);
  if (at < 0) return undefined;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const from = bytes.indexOf(JSON.stringify(names[at]));
  const next = names[at + 1];
  const to = bytes.lastIndexOf(next === undefined ? "}" : JSON.stringify(next));
  if (from < 0 || to < from || from + bytes.byteLength - to > AROUND_BYTES) return undefined;
  if (!isName(bytes, from) || levelAfter(bytes, 0, from, 0) !== 1) return undefined;
  if ((next !== undefined && !isName(bytes, to)) || levelAfter(bytes, to, bytes.byteLength, 1) !== 0) return undefined;
  return bytes.subarray(from, to);
}

const [SPACE, QUOTE, COMMA, BACKSLASH] = [0x20, 0x22, 0x2c, 0x5c];
const [OBJECT, ARRAY, OBJECT_END, ARRAY_END] = [0x7b, 0x5b, 0x7d, 0x5d];

/** Whether a text is the name of a field: of what else follows a comma, only items of a list are texts, at another level. */
function isName(bytes: Uint8Array, at: number): boolean {
  let before = at - 1;
  while ((bytes[before] ?? OBJECT) <= SPACE) before -= 1;
  return bytes[before] === COMMA || bytes[before] === OBJECT;
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
