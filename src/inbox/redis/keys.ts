import { createHash } from "node:crypto";

/** BullMQ takes a colon for a separator of its own. */
export function queueOf(bus: string): string {
  return encodeURIComponent(bus);
}

/** Keys may hold anything and be of any length, and BullMQ's job ids may not. */
export function jobIdOf(key: string): string {
  return `e-${createHash("sha256").update(key).digest("hex")}`;
}

/** Whether a job is a record, and not something that another program put into the queue. */
export function isRecordId(id: string): boolean {
  return id.startsWith("e-");
}

/** Bytes that several records share are named after what they are. */
export function bodyIdOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("base64url");
}
