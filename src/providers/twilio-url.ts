/** The query of a URL or a path, without its `?`. What stands in a fragment is not signed, and so is no query. */
export function queryOf(url: string): string {
  return /^[^?#]*\?([^#]*)/.exec(url)?.[1] ?? "";
}

/**
 * The hash that Twilio put last. Anywhere else it is not Twilio's: URL and fields are signed as one text, so that whoever
 * writes a field (of an SMS, say) could have `&bodySHA256=…` signed within it, and move it into the URL.
 */
export function bodyHash(url: string): string | undefined {
  return /(?:^|&)bodySHA256=([0-9a-f]{64})$/.exec(queryOf(url))?.[1];
}

/** Whether the body is JSON whose hash the URL holds. */
export function hasBodyHash(url: string): boolean {
  return bodyHash(url) !== undefined;
}

/** The URL without its port; one that has none with the port of its scheme. */
export function otherPort(url: string): string {
  const [, scheme = "", host = "", port, rest = ""] = /^(https?):\/\/([^/?]*?)(:\d+)?([/?].*)?$/is.exec(url) ?? [];
  if (port !== undefined) return `${scheme}://${host}${rest}`;
  return `${scheme}://${host}:${scheme.toLowerCase() === "http" ? 80 : 443}${rest}`;
}
