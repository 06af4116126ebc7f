import { isUtf8 } from "node:buffer";
import { PayloadError } from "../../errors.ts";
import type { WebhookRequest } from "../provider.ts";
import { headerValue } from "./header.ts";
import { parsePayload } from "./json.ts";

const AMPERSAND = 0x26;

/** The fields of a form: several values of one name are a list. */
export type FormFields = Readonly<Record<string, string | readonly string[]>>;

/** Parses `application/x-www-form-urlencoded` bytes. Throws `PayloadError` for what is not UTF-8. */
export function parseForm(body: Uint8Array): FormFields {
  if (!isUtf8(body)) throw new PayloadError("the body is not UTF-8");
  const fields: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of new URLSearchParams(Buffer.from(body).toString("utf8"))) {
    const known = fields[name];
    if (Array.isArray(known)) known.push(value);
    else fields[name] = known === undefined ? value : [known, value];
  }
  return fields;
}

/**
 * Whether a form has more than `most` fields: counted without parsing it, which for a megabyte of a stranger's would
 * take seconds.
 */
export function hasMoreFields(body: Uint8Array, most: number): boolean {
  let fields = 1;
  for (let at = body.indexOf(AMPERSAND); at >= 0; at = body.indexOf(AMPERSAND, at + 1)) {
    fields++;
    if (fields > most) return true;
  }
  return false;
}

/** Whether the body says that it is a form. */
export function isForm({ headers }: Pick<WebhookRequest, "headers">): boolean {
  const type = headerValue(headers, "content-type") ?? "";
  return /^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(type.trim());
}

/**
 * A body that is JSON, or a form: one whose field `payload` holds the JSON (GitHub, Slack's interactivity), or plain
 * fields.
 */
export function parseJsonOrForm(request: WebhookRequest): unknown {
  if (!isForm(request)) return parsePayload(request.body);
  const fields = parseForm(request.body);
  const payload = fields["payload"];
  return typeof payload === "string" ? parsePayload(Buffer.from(payload)) : fields;
}
