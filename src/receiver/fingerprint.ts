/** How many values are looked at: with them an event tells what it is about, and the cost does not grow with its size. */
const VALUES = 32;

/** Of a long text, its beginning; its length is looked at as well. */
const CHARACTERS = 64;

/**
 * Short, cheap, and equal for equal data; the sender is authentic, so nobody gains by a collision. Data that differ have
 * different fingerprints where one of the first 32 values differs, in the order in which they were sent.
 *
 * FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), with the code units of texts for its octets.
 */
export function fingerprintOf(data: unknown): string {
  return (look(data, { hash: 0x811c9dc5, left: VALUES }) >>> 0).toString(36);
}

interface Seen {
  hash: number;
  left: number;
}

function look(value: unknown, seen: Seen): number {
  seen.left--;
  if (typeof value === "string") take(value, seen);
  else if (typeof value !== "object" || value === null) take(String(value), seen);
  else if (Array.isArray(value)) {
    mix(value.length, seen);
    for (let at = 0; at < value.length && seen.left > 0; at++) look(value[at], seen);
  } else {
    const fields = value as Readonly<Record<string, unknown>>;
    for (const name in fields) {
      if (seen.left <= 0) break;
      take(name, seen);
      look(fields[name], seen);
    }
  }
  return seen.hash;
}

function take(text: string, seen: Seen): void {
  mix(text.length, seen);
  for (let at = 0; at < text.length && at < CHARACTERS; at++) mix(text.charCodeAt(at), seen);
}

function mix(part: number, seen: Seen): void {
  seen.hash = Math.imul(seen.hash ^ part, 0x01000193);
}
