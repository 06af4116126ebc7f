import type { RequestHeaders } from "../provider.ts";
import { headerValue } from "./header.ts";

/** A header field by its name, in whatever case; of several names, the first whose field came. */
export type HeaderName = string | readonly string[];

/** The signatures of a header in their order, and its timestamp. */
export interface HeaderSignatures {
  readonly signatures: readonly TaggedSignature[];
  readonly timestamp?: string | undefined;
}

/** A signature as it was sent, and the name that it has in its list; `undefined` where the header is no list. */
interface TaggedSignature {
  readonly tag: string | undefined;
  readonly text: string;
}

/** A name as `firstHeader` takes it: a description may write it as the provider does, `X-Signature`. */
export function lowered(name: HeaderName): HeaderName {
  return typeof name === "string" ? name.toLowerCase() : name.map((each) => each.toLowerCase());
}

/** @param name in lower case: made so once, since it takes longer than to find the field. */
export function firstHeader(headers: RequestHeaders, name: HeaderName): string | undefined {
  if (typeof name === "string") return headerValue(headers, name);
  for (const each of name) {
    const value = headerValue(headers, each);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** The name under which `sign` sends the field. */
export function nameOf(name: HeaderName): string {
  return typeof name === "string" ? name : (name[0] as string);
}

/** Takes `prefix` off a header with one signature. What has another scheme's name before a `=` is told from garbage. */
export function readOne(header: string, prefix: string): HeaderSignatures | "malformed_header" | "no_expected_scheme" {
  if (header.startsWith(prefix)) return { signatures: [{ tag: undefined, text: header.slice(prefix.length) }] };
  return /^[a-z0-9]+=/i.test(header) ? "no_expected_scheme" : "malformed_header";
}

/**
 * Reads a header that lists signatures: `t=1492774577,v1=5257a8…,v1=…,v0=…`, or `v1,K5oZ… v1a,hnO3…`.
 *
 * Items are not trimmed, as in stripe-node: ` v1` is a scheme that nobody knows. A second timestamp is refused even when
 * it has a space before it, because that is how two headers look once they are joined: which of the two was signed?
 */
export function readList(
  header: string,
  list: { readonly separator: string; readonly assign: string },
  timestampItem: string | undefined,
): HeaderSignatures | "malformed_header" {
  // Most lists hold one signature, and an array that is ready to grow is several times as large as that.
  let signatures: TaggedSignature[] | undefined;
  let timestamps = 0;
  let timestamp: string | undefined;
  // A field that came twice is joined with `, `, which leaves a list parted by spaces a list.
  const text = list.separator === " " ? header.replaceAll(", ", " ") : header;
  for (let from = 0; from <= text.length; ) {
    const next = text.indexOf(list.separator, from);
    const to = next < 0 ? text.length : next;
    const assign = text.indexOf(list.assign, from);
    const assigned = assign >= 0 && assign < to;
    const name = text.slice(from, assigned ? assign : to);
    const value = assigned ? text.slice(assign + list.assign.length, to) : "";
    from = to + list.separator.length;
    if (timestampItem !== undefined && trimmed(name) === timestampItem) {
      timestamps++;
      if (name === timestampItem) timestamp = value;
    } else if (signatures) signatures.push({ tag: name, text: value });
    else signatures = [{ tag: name, text: value }];
  }
  if (timestampItem !== undefined && (timestamps !== 1 || timestamp === undefined)) return "malformed_header";
  return { signatures: signatures ?? [], timestamp };
}

/** The text without the spaces around it. Where there are none, `trim` would take as long as all the rest of a header. */
export function trimmed(text: string): string {
  return isInk(text.charCodeAt(0)) && isInk(text.charCodeAt(text.length - 1)) ? text : text.trim();
}

/** Whether a character is one of those of ASCII that can be seen; nothing (`NaN`) is not. */
function isInk(code: number): boolean {
  return code > 0x20 && code < 0x7f;
}
