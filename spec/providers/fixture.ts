import { readFileSync } from "node:fs";

/** One of the shipped fixtures, parsed: `fixture("stripe/charge.refunded.json")`. */
export function fixture(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL(`../../fixtures/${path}`, import.meta.url), "utf8"));
}
