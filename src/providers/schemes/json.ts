import { isUtf8 } from "node:buffer";
import { PayloadError } from "../../errors.ts";

/** Deeper than any event, and less than recursive code (a logger's, a subscriber's) survives. */
const MAX_DEPTH = 2_000;

const BOM = 0xfeff;
const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = [0x7b, 0x7d, 0x5b, 0x5d];

/** Parses a verified body. Throws `PayloadError`, whose message never quotes the body. */
export function parsePayload(body: Uint8Array): unknown {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  // Replacing what is not UTF-8 would make one text of two bodies.
  if (!isUtf8(bytes)) throw new PayloadError("the body is not UTF-8 (RFC 8259, section 8.1)");
  const text = bytes.toString("utf8");
  let payload: unknown;
  try {
    payload = JSON.parse(text.charCodeAt(0) === BOM ? text.slice(1) : text);
  } catch {
    // The parser's own message quotes the body.
    throw new PayloadError(text.trim() === "" ? "the body is empty" : "the body is not JSON");
  }
  if (isDeeperThan(bytes, MAX_DEPTH)) throw new PayloadError(`the body is nested deeper than ${MAX_DEPTH} levels`);
  return payload;
}

/**
 * Whether JSON text, known to be well-formed, nests deeper than `levels`. It reads the bytes: walking the values would
 * cost as much as parsing them, and the stack is what deep values are after. Brackets in strings do not count, neither
 * the opening ones nor, which would let deep values pass, the closing ones.
 */
function isDeeperThan(json: Uint8Array, levels: number): boolean {
  if (json.length < 2 * levels) return false; // each level takes two bytes at least
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) at = endOfString(json, at);
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth++;
      if (depth > levels) return true;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--;
  }
  return false;
}

/** Where the string that begins at `start` has its closing quote. */
function endOfString(json: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at;
}
