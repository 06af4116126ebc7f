import { createHash } from "node:crypto";
import type { ReadContext } from "../provider.ts";

/** The SHA-256 of texts and bytes one after the other, in hex. */
export function sha256(...pieces: readonly (string | Uint8Array)[]): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}

/** What stands for the id of an event that has none: the hash of its signed body, or of the event without a delivery. */
export function contentHash(event: unknown, { request }: ReadContext): string {
  return sha256(request ? request.body : (JSON.stringify(event) ?? ""));
}
