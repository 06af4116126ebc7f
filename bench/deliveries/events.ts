import { readFileSync } from "node:fs";

/**
 * A fixture as it goes over the wire, in one line. Of one that is larger than `bytes`, as many fields that say nothing are left
 * out as it takes.
 */
function fixture(type: string, bytes: number): Fixture {
  const text = readFileSync(new URL(`../../fixtures/stripe/${type}.json`, import.meta.url), "utf8");
  let excess = JSON.stringify({ ...JSON.parse(text), id: PLACE }).length - bytes;
  return JSON.parse(text, (name, value: unknown) => {
    if (value !== null || excess <= 0) return value;
    excess -= `"${name}":null,`.length;
    return undefined;
  }) as Fixture;
}

interface Fixture {
  id: string;
  readonly type: string;
  readonly data: { readonly object: Record<string, unknown> };
}

/** Ids have one length, so that one can be written over another. */
const ID_LENGTH = 28;
const PLACE = "evt_".padEnd(ID_LENGTH, "_");

export interface Template {
  readonly type: string;
  readonly bytes: Buffer;
  /** Where the event's id stands. */
  readonly idAt: number;
}

/** Events of Stripe's as large as the benches ask for, by what they are called. */
export const TEMPLATES: Readonly<Record<"0.5 KB" | "3 KB" | "30 KB" | "250 KB", Template>> = {
  "0.5 KB": template(500, (bytes) => fixture("plan.created", bytes)),
  "3 KB": template(3_000, (bytes) => fixture("charge.succeeded", bytes)),
  "30 KB": template(30_000, invoice),
  "250 KB": template(250_000, invoice),
};

export type Size = keyof typeof TEMPLATES;
export const SIZES = Object.keys(TEMPLATES) as Size[];

/** An invoice of as many lines as fill `bytes`. */
function invoice(bytes: number): Fixture {
  const event = fixture("invoice.payment_failed", bytes);
  const lines = event.data.object["lines"] as { data: { id: string }[] };
  const [line] = lines.data as [{ id: string }];
  const wanted = Math.ceil((bytes - JSON.stringify(event).length) / (JSON.stringify(line).length + 1));
  for (let made = 0; made < wanted; made += 1) lines.data.push({ ...line, id: `il_1PgafyB7WZ01zgkW${made}` });
  return event;
}

/** Throws unless the event is within 3 % of what it is called. */
function template(size: number, make: (bytes: number) => Fixture): Template {
  const event = make(size);
  event.id = PLACE;
  const bytes = Buffer.from(JSON.stringify(event));
  if (Math.abs(bytes.length / size - 1) > 0.03) throw new Error(`${event.type} has ${bytes.length} bytes, not ${size}`);
  return { type: event.type, bytes, idAt: bytes.indexOf(PLACE) };
}

let made = 0;
/** Two processes of a run must not make the same ids. */
const PROCESS = process.pid.toString(36).padStart(6, "0");

/** A body under an id of its own. */
export function freshBody({ bytes, idAt }: Template): { readonly id: string; readonly body: Buffer } {
  made += 1;
  const id = `evt_${PROCESS}${made.toString(36).padStart(ID_LENGTH - 4 - PROCESS.length, "0")}`;
  const body = Buffer.from(bytes);
  body.write(id, idAt, "latin1");
  return { id, body };
}
