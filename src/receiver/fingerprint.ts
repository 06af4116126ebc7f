import { crc32 } from "node:zlib";

/** Short, cheap, and equal for equal data; the sender is authentic, so nobody gains by a collision. */
export function fingerprintOf(data: unknown): string {
  return crc32(JSON.stringify(data) ?? "").toString(36);
}
