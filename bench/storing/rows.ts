import { randomUUID } from "node:crypto";
import type { NewRecord } from "../../dist/inbox/record.js";

/** An event of 3 KB, as Stripe's are. */
const PADDING = "x".repeat(2_900);

/** A record under a key of its own. */
export function aRecord(bus: string): NewRecord {
  const id = `evt_${randomUUID()}`;
  const data = { id, object: "event", type: "charge.succeeded", data: { object: { id, PADDING } } };
  return recordOf(bus, id, Buffer.from(JSON.stringify(data)), `t=1700000000,v1=${"a".repeat(64)}`);
}

export function records(bus: string, count: number): NewRecord[] {
  return Array.from({ length: count }, () => aRecord(bus));
}

/** The record that hookbus itself would make of a delivery of Stripe's. */
export function recordOf(bus: string, id: string, body: Buffer, signature: string): NewRecord {
  return {
    key: `${bus}:${id}`,
    bus,
    provider: "stripe",
    id,
    type: "charge.succeeded",
    verifiedBy: "signature",
    matchedSecret: "signingSecrets",
    fingerprint: "1x2y3z",
    lane: undefined,
    receivedAt: Date.now(),
    request: { method: "POST", url: "/stripe", headers: { "stripe-signature": signature } },
    body,
  };
}

/** Calls `one` again and again, with 64 under way at once, `count` times in all. */
export async function sixtyFourWaiting(count: number, one: () => Promise<unknown>): Promise<void> {
  let left = count;
  const waiter = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await one();
    }
  };
  await Promise.all(Array.from({ length: 64 }, waiter));
}
