/**
 * The bytes of a hex text of exactly `byteLength` bytes in lower case; `undefined` for anything else.
 *
 * Node skips what is not hex, so that only a text which comes out again as it went in is taken.
 */
export function decodeHex(text: string, byteLength: number): Buffer | undefined {
  if (text.length !== byteLength * 2) return undefined;
  const bytes = Buffer.from(text, "hex");
  return bytes.toString("hex") === text ? bytes : undefined;
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
