import type { RequestHeaders } from "../provider.ts";

/**
 * One header field's value, whatever the case of its name; `undefined` where it is absent or not text.
 *
 * A field that came several times is joined with `", "`, as Node does it (RFC 9110, section 5.3), so that a repeated
 * signature header reads as the garbled one that it is. Never throws.
 *
 * @param name in lower case.
 */
export function headerValue(headers: RequestHeaders, name: string): string | undefined {
  // Node and the Fetch API both hand over lower-case names, so the scan is for test doubles and gateways.
  const direct = headers[name];
  if (typeof direct === "string") return direct;
  const values: unknown[] = [];
  for (const key of Object.keys(headers)) {
    if (key.toLowerCase() === name) values.push(headers[key]);
  }
  const texts = values.flat().filter((value) => typeof value === "string");
  return texts.length === 0 ? undefined : texts.join(", ");
}
