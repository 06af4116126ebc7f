const LOWER_HEX = /^[0-9a-f]*$/;

/**
 * The bytes of a hex text of exactly `byteLength` bytes in lower case; `undefined` for anything else.
 *
 * Node skips what is not hex, so that only a text which comes out again as it went in is taken.
 */
export function decodeHex(text: string, byteLength: number): Buffer | undefined {
  return text.length === byteLength * 2 && LOWER_HEX.test(text) ? Buffer.from(text, "hex") : undefined;
}

/**
 * The bytes of a canonical base64 text: padded, the standard alphabet, no spaces, no stray bits (RFC 4648, section
 * 3.5); `undefined` for anything else, and for an empty text.
 */
export function decodeBase64(text: string): Buffer | undefined {
  if (text === "") return undefined;
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : undefined;
}

export type Encoding = "hex" | "base64" | "base64url";

/** The bytes of a canonical text, of exactly `byteLength` bytes where one is given; else `undefined`. */
export function decode(text: string, encoding: Encoding, byteLength?: number): Buffer | undefined {
  if (encoding === "hex" && byteLength !== undefined) return decodeHex(text, byteLength);
  const bytes = Buffer.from(text, encoding);
  if (text === "" || bytes.toString(encoding) !== text) return undefined;
  return byteLength === undefined || bytes.byteLength === byteLength ? bytes : undefined;
}

export function encode(bytes: Uint8Array, encoding: Encoding): string {
  return Buffer.from(bytes).toString(encoding);
}
