import { RawBodyUnavailableError } from "../errors.ts";
import { assertDeclared, type BodyLimits, tooLarge } from "./limits.ts";
import type { NodeRequest } from "./node-types.ts";
import { readStream } from "./stream.ts";

/** What to change in the app when the raw bytes are gone. */
export interface RawBodyHint {
  readonly framework: string;
  readonly remedy: string;
}

/**
 * The raw bytes of a request on Node, wherever they are by now.
 *
 * `req.rawBody` comes first: somebody kept it on purpose. A stream that nobody read is read here, whatever `req.body`
 * is: body-parser 1 sets it to `{}` on requests that it skips. Last comes `req.body`, as express.raw() and
 * express.text() leave it. A parsed body is refused: serialised anew, it would seldom be what was signed.
 *
 * Rejects with `BodyTooLargeError`, `BodyTimeoutError`, `RequestAbortedError` or `RawBodyUnavailableError`.
 */
export async function readBody(req: NodeRequest, limits: BodyLimits, hint: RawBodyHint): Promise<Uint8Array> {
  const kept = asBytes(req.rawBody);
  if (kept) return within(limits.maxBytes, kept);
  if (!req.readableDidRead) {
    const length = req.headers["content-length"] as string | undefined;
    assertDeclared(length, limits.maxBytes);
    const declaredBytes = Number(length ?? 0);
    if (!endsAt(req, declaredBytes)) return readStream(req, limits);
    // Whoever else listens must not set it flowing before anybody reads here.
    req.pause();
    // By then Node has taken in what came with the head, which of most requests is all.
    await undefined;
    const body = arrived(req, declaredBytes);
    if (!body) return readStream(req, limits);
    // Others may wait for the end, which comes to those who read on.
    req.resume();
    return body;
  }
  const left = asBytes(req.body);
  if (left) return within(limits.maxBytes, left);
  throw new RawBodyUnavailableError(
    `the body was read before hookbus saw it, and its raw bytes are gone. ${hint.framework}: ${hint.remedy}`,
  );
}

/**
 * Whether the body of a request that nobody reads is over with the bytes that were declared. In HTTP/2 what says that the
 * request is over comes after them, and is waited for.
 */
function endsAt(req: NodeRequest, declaredBytes: number): boolean {
  if (req.readableFlowing !== null || req.stream) return false;
  return declaredBytes > 0 && req.headers["transfer-encoding"] === undefined;
}

/** The whole body, where all of it is here as bytes: it needs no listener and no timer. */
function arrived(req: NodeRequest, declaredBytes: number): Uint8Array | undefined {
  return req.readableLength === declaredBytes && !req.readableEncoding ? (req.read() as Uint8Array) : undefined;
}

/** Text is taken as UTF-8. */
function asBytes(value: unknown): Uint8Array | undefined {
  if (typeof value === "string") return Buffer.from(value);
  return value instanceof Uint8Array ? value : undefined;
}

function within(maxBytes: number, body: Uint8Array): Uint8Array {
  if (body.byteLength > maxBytes) throw tooLarge(maxBytes);
  return body;
}
