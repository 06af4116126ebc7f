import { BodyTimeoutError, BodyTooLargeError, RequestAbortedError } from "../errors.ts";

export interface BodyLimits {
  readonly maxBytes: number;
  /** For the whole body, not for each piece of it. */
  readonly timeoutMs: number;
}

/** Servers let nothing but digits through here; a body without the field is counted while it is read. */
export function assertDeclared(contentLength: string | null | undefined, maxBytes: number): void {
  if (Number(contentLength ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

export function tooLarge(maxBytes: number): BodyTooLargeError {
  return new BodyTooLargeError(`the body is larger than \`maxBodyBytes\`, ${maxBytes} bytes`);
}

export function tooSlow(timeoutMs: number): BodyTimeoutError {
  return new BodyTimeoutError(`the body did not arrive within \`bodyTimeoutMs\`, ${timeoutMs} ms`);
}

export function aborted(cause?: unknown): RequestAbortedError {
  return new RequestAbortedError("the client went away before the body was complete", { cause });
}
