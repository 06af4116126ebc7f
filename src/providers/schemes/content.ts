import { ConfigurationError } from "../../errors.ts";
import type { WebhookRequest } from "../provider.ts";
import type { Pieces } from "./algorithms.ts";

/** What a content template can name. */
export interface SignedValues {
  readonly request: Pick<WebhookRequest, "method" | "url" | "body" | "headers">;
  /** The timestamp as it was sent, not as it was read. */
  readonly timestamp: string;
  readonly id: string;
  /** The public URL of the endpoint: the one set, else the request's. */
  readonly url: string;
}

/** Puts together what is signed; `undefined` where the request holds no such thing. */
export type Content = (values: SignedValues) => Pieces | undefined;

const FIELDS: Readonly<Record<string, (values: SignedValues) => string | Uint8Array>> = {
  body: ({ request }) => request.body,
  timestamp: ({ timestamp }) => timestamp,
  id: ({ id }) => id,
  url: ({ url }) => url,
  method: ({ request }) => request.method,
};

/**
 * Reads a template such as `"{timestamp}.{body}"` once. The body stays the raw bytes, whatever stands around it.
 *
 * Throws `ConfigurationError` for a field that there is not.
 */
export function content(template: string): Content {
  const parts = template.split(/(\{\w+\})/).filter((part) => part !== "");
  const readers = parts.map((part) => {
    const field = /^\{(\w+)\}$/.exec(part)?.[1];
    if (field === undefined) return () => part;
    const read = Object.hasOwn(FIELDS, field) ? FIELDS[field] : undefined;
    if (!read)
      throw new ConfigurationError(`\`content\` names {${field}}: there are ${Object.keys(FIELDS).join(", ")}`);
    return read;
  });
  return (values) => readers.map((read) => read(values));
}
