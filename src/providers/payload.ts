import { PayloadError } from "../errors.ts";

/** The longest id and type taken: what Stripe says an id may have, and what fits an indexed column everywhere. */
const MAX_LENGTH = 255;

/**
 * Ids are read loosely and used strictly: a payload that was verified keeps its id as it is, as long as it is
 * printable and holds no space, slash or backslash (`evt_ünïcode` is fine). What goes into a URL must match the
 * provider's own `idPattern` besides.
 */
const PRINTABLE_ID = /^[^\p{C}\p{Z}/\\]+$/u;

/**
 * Segments between dots, slashes (Shopify) or colons (Coinbase). Stripe's may hold brackets:
 * `v2.core.account[requirements].updated`.
 */
const EVENT_TYPE = /^[\w[\]-]+(?:[./:][\w[\]-]+)*$/;

/** The event's id; throws `PayloadError` where it is missing or cannot be one. */
export function checkId(id: unknown): string {
  if (typeof id !== "string" || id === "") throw new PayloadError("the event has no `id`");
  if (id.length > MAX_LENGTH) throw new PayloadError(`the event's \`id\` is longer than ${MAX_LENGTH} characters`);
  if (!PRINTABLE_ID.test(id)) throw new PayloadError("the event's `id` holds characters that no id has");
  return id;
}

/** The event's type, or `undefined` for a body without one; throws `PayloadError` where it cannot be one. */
export function checkType(type: unknown): string | undefined {
  if (type === undefined) return undefined;
  if (typeof type !== "string" || type.length > MAX_LENGTH || !EVENT_TYPE.test(type)) {
    throw new PayloadError("the event's `type` is not an event type");
  }
  return type;
}

/** `true` and `false` as they are, anything else as not known. */
export function optionalBoolean(value: unknown): boolean | undefined {
  return typeof value === "boolean" ? value : undefined;
}

/** A date from seconds since 1970 or from ISO 8601 text; `undefined` for anything that is no date. */
export function optionalDate(value: unknown): Date | undefined {
  if (typeof value !== "number" && typeof value !== "string") return undefined;
  const date = new Date(typeof value === "number" ? value * 1000 : value);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
