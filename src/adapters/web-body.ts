import { RawBodyUnavailableError } from "../errors.ts";
import { aborted, assertDeclared, type BodyLimits, tooLarge, tooSlow } from "./limits.ts";

/**
 * The raw bytes of a Web `Request`, counted while they come in. A stream given up is cancelled.
 *
 * Rejects with `BodyTooLargeError`, `BodyTimeoutError`, `RequestAbortedError` or `RawBodyUnavailableError`.
 */
export async function readWebBody(request: Request, { maxBytes, timeoutMs }: BodyLimits): Promise<Uint8Array> {
  if (request.bodyUsed || request.body?.locked) {
    throw new RawBodyUnavailableError(
      "the body was read before hookbus saw it, and its raw bytes are gone. " +
        "Call the handler first, or hand it request.clone() made before the body was read",
    );
  }
  assertDeclared(request.headers.get("content-length"), maxBytes);
  if (request.signal.aborted) throw aborted(request.signal.reason);
  if (request.body === null) return new Uint8Array();

  const reader = request.body.getReader();
  let giveUp!: (reason: Error) => void;
  const givenUp = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  const onAbort = (): void => giveUp(aborted(request.signal.reason));
  const timer = setTimeout(() => giveUp(tooSlow(timeoutMs)), timeoutMs);
  request.signal.addEventListener("abort", onAbort);
  try {
    return await Promise.race([collect(reader, maxBytes), givenUp]);
  } catch (error) {
    // Not awaited: a source that hangs may hang in its cancellation, too.
    reader.cancel(error).catch(() => {});
    throw error;
  } finally {
    clearTimeout(timer);
    request.signal.removeEventListener("abort", onAbort);
  }
}

async function collect(reader: ReadableStreamDefaultReader<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw aborted(cause);
    });
    if (done) return join(chunks, size);
    size += value.byteLength;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(value);
  }
}

/** Without Buffer: this also runs where there is none. */
function join(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const [first] = chunks;
  if (first !== undefined && chunks.length === 1) return first;
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}
