import { isAscii, isUtf8 } from "node:buffer";
import { PayloadError } from "../../errors.ts";

/** Deeper than any event, and less than recursive code (a logger's, a subscriber's) survives. */
const MAX_DEPTH = 2_000;

const BOM = 0xfeff;

/** Parses a verified body. Throws `PayloadError`, whose message never quotes the body. */
export function parsePayload(body: Uint8Array): unknown {
  const text = textOf(body);
  let payload: unknown;
  try {
    payload = JSON.parse(text.charCodeAt(0) === BOM ? text.slice(1) : text);
  } catch {
    // The parser's own message quotes the body.
    throw new PayloadError(text.trim() === "" ? "the body is empty" : "the body is not JSON");
  }
  // Each level takes two bytes at least.
  if (body.length >= 2 * MAX_DEPTH && isDeeperThan(payload, MAX_DEPTH))
    throw new PayloadError(`the body is nested deeper than ${MAX_DEPTH} levels`);
  return payload;
}

/** Whether a value is a JSON object: not `null`, not an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Most bodies are ASCII, for which there is the quicker way. */
function textOf(body: Uint8Array): string {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (isAscii(bytes)) return bytes.toString("latin1");
  // Replacing what is not UTF-8 would make one text of two bodies.
  if (!isUtf8(bytes)) throw new PayloadError("the body is not UTF-8 (RFC 8259, section 8.1)");
  return bytes.toString("utf8");
}

/** Whether a value nests deeper than `levels`. Looks into objects and arrays alone, and no deeper than that. */
function isDeeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  if (Array.isArray(value)) {
    for (const each of value) if (isDeeperThan(each, levels - 1)) return true;
    return false;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  // What JSON.parse made has nothing but fields of its own.
  for (const name in fields) {
    const field = fields[name];
    if (typeof field === "object" && field !== null && isDeeperThan(field, levels - 1)) return true;
  }
  return false;
}
