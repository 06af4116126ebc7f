import { randomUUID } from "node:crypto";
import type { NewRecord } from "../src/inbox/record.ts";

/** An event of 3 KB, as Stripe's are. */
const PADDING = "x".repeat(2_900);

/** A record under a key of its own. */
export function aRecord(bus: string): NewRecord {
  const id = `evt_${randomUUID()}`;
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
    request: { method: "POST", url: "/stripe", headers: { "stripe-signature": `t=1700000000,v1=${"a".repeat(64)}` } },
    body: Buffer.from(
      JSON.stringify({ id, object: "event", type: "charge.succeeded", data: { object: { id, PADDING } } }),
    ),
  };
}

/** Calls `one` again and again, with 64 under way at once, `count` times in all. */
export async function sixtyFourWaiting(count: number, one: () => Promise<unknown>): Promise<number> {
  let left = count;
  const waiter = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await one();
    }
  };
  await Promise.all(Array.from({ length: 64 }, waiter));
  return count;
}
