import type { Delivered, InboxBus, Run } from "../../src/inbox/inbox.ts";
import type { LeasedRecord, NewRecord, Outcome } from "../../src/inbox/record.ts";

/** What a spec lets a delivery come to. */
export type Script = (record: LeasedRecord, run: Run) => Outcome | Delivered | Promise<Outcome | Delivered>;

export const DONE: Outcome = { outcome: "done" };

export function failed(afterMs = 0, ...subscribers: string[]): Outcome {
  const failures = subscribers.map((subscriber) => ({ subscriber, error: "Error", message: "it failed" }));
  return { outcome: "failed", failures: failures.length > 0 ? failures : [{ error: "Error", message: "no" }], afterMs };
}

/** A bus whose deliveries come to what the spec says, and that remembers them. */
export class ScriptedBus implements InboxBus {
  readonly name: string;
  readonly deliveries: LeasedRecord[] = [];
  readonly troubles: unknown[] = [];
  script: Script;
  running = 0;
  /** How many ran at once, at the most. */
  peak = 0;

  constructor(name: string, script: Script = () => DONE) {
    this.name = name;
    this.script = script;
  }

  assertReady(): void {}

  async deliver(record: LeasedRecord, run: Run): Promise<Delivered> {
    this.deliveries.push(record);
    this.running += 1;
    this.peak = Math.max(this.peak, this.running);
    const came = await this.script(record, run);
    this.running -= 1;
    return typeof came.outcome === "string" ? { outcome: came as Outcome } : (came as Delivered);
  }

  troubled(error: unknown): void {
    this.troubles.push(error);
  }

  keys(): string[] {
    return this.deliveries.map(({ key }) => key);
  }
}

let made = 0;

/** A record of `bus`, under a key of its own. */
export function aRecord(bus: string, fields: Partial<NewRecord> = {}): NewRecord {
  made += 1;
  const id = fields.id ?? `evt_${process.pid}_${made}`;
  return {
    key: `${bus}:${id}`,
    bus,
    provider: "stripe",
    id,
    type: "charge.succeeded",
    verifiedBy: "signature",
    matchedSecret: "signingSecrets",
    fingerprint: `f${made}`,
    lane: undefined,
    receivedAt: Date.UTC(2026, 0, 1) + made,
    request: { method: "POST", url: "/stripe", headers: { "stripe-signature": `t=1,v1=${made}` } },
    body: Buffer.from(JSON.stringify({ id, made })),
    ...fields,
  };
}

/** Resolves once `holds` does, which it asks again and again; a spec's own timeout is the end of it. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}
