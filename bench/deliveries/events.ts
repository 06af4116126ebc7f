import { readFileSync } from "node:fs";

/** A fixture as it goes over the wire here: without the fields that say nothing, in one line. */
function fixture(type: string): Fixture {
  const file = new URL(`../../fixtures/stripe/${type}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8"), (_, value) => value ?? undefined) as Fixture;
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
  "0.5 KB": template(small()),
  "3 KB": template(fixture("charge.succeeded")),
  "30 KB": template(invoice(30_000)),
  "250 KB": template(invoice(250_000)),
};

export type Size = keyof typeof TEMPLATES;
export const SIZES = Object.keys(TEMPLATES) as Size[];

function small(): Fixture {
  const event = fixture("plan.created");
  for (const field of ["created", "interval_count", "amount_decimal"]) delete event.data.object[field];
  return event;
}

/** An invoice of as many lines as fill `bytes`. */
function invoice(bytes: number): Fixture {
  const event = fixture("invoice.payment_failed");
  const lines = event.data.object["lines"] as { data: { id: string }[] };
  const [line] = lines.data as [{ id: string }];
  const wanted = Math.ceil((bytes - JSON.stringify(event).length) / (JSON.stringify(line).length + 1));
  for (let made = 0; made < wanted; made += 1) lines.data.push({ ...line, id: `il_1PgafyB7WZ01zgkW${made}` });
  return event;
}

function template(event: Fixture): Template {
  event.id = PLACE;
  const bytes = Buffer.from(JSON.stringify(event));
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
