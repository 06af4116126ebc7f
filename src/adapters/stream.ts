import { RawBodyUnavailableError } from "../errors.ts";
import { aborted, type BodyLimits, tooLarge, tooSlow } from "./limits.ts";
import type { NodeRequest } from "./node-types.ts";

/**
 * Collects an unread request stream. One that gives text is refused: bytes that are no text were replaced in it.
 *
 * Whatever the end, no listener and no timer stays behind; a stream given up is left paused, and what follows on the
 * connection is the answer's business.
 */
export function readStream(req: NodeRequest, { maxBytes, timeoutMs }: BodyLimits): Promise<Uint8Array> {
  // Its last event may be over already.
  if (req.destroyed) return Promise.reject(aborted());
  if (req.readableEncoding) return Promise.reject(decoded());

  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let size = 0;

    const onData = (chunk: Uint8Array | string): void => {
      // An encoding may be set at any time.
      if (typeof chunk === "string") {
        giveUp(decoded());
        return;
      }
      size += chunk.byteLength;
      if (size > maxBytes) giveUp(tooLarge(maxBytes));
      else chunks.push(chunk);
    };
    const onEnd = (): void => {
      stopListening();
      const [first] = chunks;
      // Most bodies come in one piece, which needs no copy.
      resolve(first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks, size));
    };
    const onError = (cause: unknown): void => giveUp(aborted(cause));
    const onClose = (): void => giveUp(aborted());
    const timer = setTimeout(() => giveUp(tooSlow(timeoutMs)), timeoutMs);

    function giveUp(reason: Error): void {
      stopListening();
      req.pause();
      chunks.length = 0;
      reject(reason);
    }
    function stopListening(): void {
      clearTimeout(timer);
      req.off("data", onData).off("end", onEnd).off("error", onError).off("close", onClose);
    }
    req.on("data", onData).on("end", onEnd).on("error", onError).on("close", onClose);
    // Somebody may have paused it to work first, and listening alone does not set it flowing again.
    req.resume();
  });
}

function decoded(): RawBodyUnavailableError {
  return new RawBodyUnavailableError(
    "`req.setEncoding()` made text of the body, and its raw bytes are gone: " +
      "mount the handler before whatever calls it, or hand over the raw bytes as req.rawBody",
  );
}
