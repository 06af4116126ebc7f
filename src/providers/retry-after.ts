/** What we pass on at most: a provider that asks for a day would outlast the sender's own retries. */
const MAX_SECONDS = 3600;

const SECONDS = /^[0-9]{1,9}$/;

/**
 * The `retryAfterSeconds` of a `Retry-After` header in seconds (RFC 9110, section 10.2.3), at most an hour; nothing
 * where the header is missing, garbled or a date.
 *
 * @param headers an HTTP client's response headers, with names in lower case.
 */
export function retryAfter(headers: unknown): { retryAfterSeconds?: number } {
  if (typeof headers !== "object" || headers === null || !("retry-after" in headers)) return {};
  const value = String(headers["retry-after"]);
  return SECONDS.test(value) ? { retryAfterSeconds: Math.min(Number(value), MAX_SECONDS) } : {};
}
