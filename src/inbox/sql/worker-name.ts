import { randomBytes } from "node:crypto";
import { hostname } from "node:os";

/** What this process is called in the tables: for the operator's eyes, nothing depends on it. */
export function workerName(): string {
  return `${hostname()}/${process.pid}/${randomBytes(4).toString("hex")}`;
}
