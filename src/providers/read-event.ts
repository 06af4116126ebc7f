import { createHash } from "node:crypto";
import { PayloadError } from "../errors.ts";
import { checkId, checkType, optionalBoolean, optionalDate } from "./payload.ts";
import type { Envelope, ReadContext, WebhookRequest } from "./provider.ts";
import type { EventDescription, Place } from "./provider-description.ts";
import { firstHeader, lowered } from "./schemes/header-list.ts";
import { isRecord } from "./schemes/json.ts";

type Find = (event: Readonly<Record<string, unknown>>, context: ReadContext) => unknown;

/** Finds what hookbus knows of one event where its description says; `index` is its place among those of a delivery. */
export type ReadEvent = (payload: unknown, context: ReadContext, index?: number) => Envelope;

/** Makes the reader of a description: paths are taken apart here, and not for every event. */
export function eventReader(description: EventDescription): ReadEvent {
  const { form, createdUnit } = description;
  const idAt = finder(description.id);
  const typeAt = finder(description.type);
  const keyAt = finder(description.key);
  const createdAt = finder(description.created);
  const livemodeAt = finder(description.livemode);
  const accountAt = finder(description.account);
  const dataAt = description.data === undefined ? undefined : finder(description.data);
  const unsigned = (["id", "type"] as const).filter((fact) => isUnsigned(description[fact]));
  const idUnsigned = unsigned.includes("id");
  return (payload, context, index = 0) => {
    if (!isRecord(payload)) throw new PayloadError("an event is a JSON object");
    const event = form ? form(payload, context) : payload;
    const id = checkId(idOf(description.id, idAt(event, context)));
    const created = createdAt(event, context);
    const account = accountAt(event, context);
    const envelope: Envelope = {
      id,
      type: checkType(typeAt(event, context)),
      key: keyOf(keyAt(event, context)) ?? (idUnsigned ? hashOf(context.request, index) : id),
      livemode: optionalBoolean(livemodeAt(event, context)),
      created: optionalDate(createdUnit === "ms" && typeof created === "number" ? created / 1000 : created),
      account: typeof account === "string" ? account : undefined,
      data: dataAt ? dataAt(event, context) : event,
      event,
    };
    return unsigned.length > 0 ? { unsigned, ...envelope } : envelope;
  };
}

function idOf(place: Place, id: unknown): unknown {
  if (typeof place !== "string" || typeof id !== "number") return id;
  throw new PayloadError(`the \`id\` is a number: use a function, (event) => String(event.${place})`);
}

const nothing: Find = () => undefined;

function finder(place: Place | undefined): Find {
  if (place === undefined) return nothing;
  if (typeof place === "function") return place;
  if (typeof place === "object" && "header" in place) {
    const header = lowered(place.header);
    return (_event, { request }) => request && firstHeader(request.headers, header);
  }
  const path = typeof place === "object" ? place.unsigned : place;
  if (!path.includes(".")) return (event) => own(event, path);
  const steps = path.split(".");
  return (event) => {
    let value: unknown = event;
    for (const step of steps) value = isRecord(value) ? own(value, step) : undefined;
    return value;
  };
}

function own(event: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(event, name) ? event[name] : undefined;
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
