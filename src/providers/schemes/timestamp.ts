import type { RejectionReason } from "../provider.ts";

export type TimestampUnit = "s" | "ms";

/** Fifteen digits: milliseconds far beyond any clock, and well within what a number holds exactly. */
const DIGITS = /^[0-9]{1,15}$/;

/**
 * Seconds since 1970 from plain decimal digits in `unit`: no sign, no spaces, no fraction, no junk behind; else
 * `undefined`.
 */
export function parseTimestamp(text: string | undefined, unit: TimestampUnit = "s"): number | undefined {
  if (text === undefined || !DIGITS.test(text)) return undefined;
  return unit === "s" ? Number(text) : Math.floor(Number(text) / 1000);
}

/** The text of `now` (milliseconds since 1970) in `unit`. */
export function timestampText(now: number, unit: TimestampUnit = "s"): string {
  return String(Math.floor(unit === "s" ? now / 1000 : now));
}

/**
 * Why a timestamp is refused, or `undefined` where it lies within the tolerance: inclusive on both sides, in whole
 * seconds.
 *
 * @param timestamp seconds since 1970.
 * @param now milliseconds since 1970.
 */
export function staleness(timestamp: number, now: number, toleranceSeconds: number): RejectionReason | undefined {
  const age = Math.floor(now / 1000) - timestamp;
  // Written so that a clock or tolerance that is not a number refuses.
  if (!(age <= toleranceSeconds)) return "timestamp_too_old";
  if (!(-age <= toleranceSeconds)) return "timestamp_in_future";
  return undefined;
}
