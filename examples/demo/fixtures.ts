import { readFileSync } from "node:fs";

/** The bytes of an event in `fixtures/`. */
export function fixture(name: string): Buffer {
  return readFileSync(new URL(`../../fixtures/${name}.json`, import.meta.url));
}

/** The id of an event in `fixtures/`. */
export function idOf(name: string): string {
  return JSON.parse(fixture(name).toString()).id;
}
