import { createHash } from "node:crypto";
import { PayloadError } from "../errors.ts";
import { checkId, checkType, isRecord, optionalBoolean, optionalDate } from "./payload.ts";
import type { Envelope, ReadContext, WebhookRequest } from "./provider.ts";
import type { EventDescription, Place } from "./provider-description.ts";
import { firstHeader } from "./schemes/header-list.ts";

/** Finds what hookbus knows of one event where its description says; `index` is its place among those of a delivery. */
export function readEvent(description: EventDescription, payload: unknown, context: ReadContext, index = 0): Envelope {
  if (!isRecord(payload)) throw new PayloadError("an event is a JSON object");
  const event = description.form?.(payload, context) ?? payload;
  const at = (place: Place | undefined): unknown => (place === undefined ? undefined : find(place, event, context));
  const id = checkId(idOf(description.id, at(description.id)));
  const created = at(description.created);
  const account = at(description.account);
  const unsigned = (["id", "type"] as const).filter((fact) => isUnsigned(description[fact]));
  return {
    id,
    type: checkType(at(description.type)),
    key: keyOf(at(description.key)) ?? (unsigned.includes("id") ? hashOf(context.request, index) : id),
    livemode: optionalBoolean(at(description.livemode)),
    created: optionalDate(description.createdUnit === "ms" && typeof created === "number" ? created / 1000 : created),
    account: typeof account === "string" ? account : undefined,
    data: description.data === undefined ? event : at(description.data),
    event,
    ...(unsigned.length > 0 ? { unsigned } : {}),
  };
}

function idOf(place: Place, id: unknown): unknown {
  if (typeof place !== "string" || typeof id !== "number") return id;
  throw new PayloadError(`the \`id\` is a number: use a function, (event) => String(event.${place})`);
}

function find(place: Place, event: Readonly<Record<string, unknown>>, context: ReadContext): unknown {
  if (typeof place === "function") return place(event, context);
  if (typeof place === "object" && "header" in place) {
    return context.request && firstHeader(context.request.headers, place.header);
  }
  let value: unknown = event;
  for (const step of (typeof place === "object" ? place.unsigned : place).split("."))
    value = isRecord(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  return value;
}

/** Whether no signature covers what stands there. */
export function isUnsigned(place: Place): boolean {
  return typeof place === "object" && ("unsigned" in place || !place.signed);
}

function keyOf(key: unknown): string | undefined {
  return typeof key === "string" && key !== "" ? key : undefined;
}

/** The hash of the signed body; of the second and later events in it, with their place. */
export function hashOf(request: WebhookRequest | undefined, index = 0): string {
  if (!request) throw new PayloadError("an event whose id is not signed has no key without its delivery");
  const hash = createHash("sha256").update(request.body).digest("hex");
  return index === 0 ? hash : `${hash}:${index}`;
}
