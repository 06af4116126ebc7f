import { setTimeout as pause } from "node:timers/promises";

/** The wait after trouble with the server, from the first time to the most, in milliseconds. */
const TROUBLE_MS = { first: 250, most: 10_000 };

/** How long to leave the server alone after so many times in a row. */
export function waitAfter(troubles: number): number {
  return Math.min(TROUBLE_MS.most, TROUBLE_MS.first * 2 ** (troubles - 1));
}

/** Waits for a promise, but not for longer than that. */
export async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  const waiting = new AbortController();
  const { signal } = waiting;
  await Promise.race([promise, pause(ms, undefined, { signal }).catch(() => undefined)]);
  waiting.abort();
}
