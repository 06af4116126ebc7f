import { BodyTooLargeError, RawBodyUnavailableError } from "../errors.ts";
import type { BodyReader } from "./request.ts";

/** A reader of a body that is in memory already. */
export function readerOf(body: Uint8Array): BodyReader {
  return (maxBytes) => {
    if (!(body instanceof Uint8Array)) {
      throw new RawBodyUnavailableError("`body` must be the raw bytes as a Uint8Array or Buffer, not a parsed body");
    }
    if (body.byteLength > maxBytes) throw new BodyTooLargeError(`the body is larger than ${maxBytes} bytes`);
    return body;
  };
}
