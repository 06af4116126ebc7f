import type { RejectionReason } from "../provider.ts";

export type TimestampUnit = "s" | "ms";

/** Milliseconds far beyond any clock, and well within what a number holds exactly. */
const MAX_DIGITS = 15;

/**
 * Seconds since 1970 from plain decimal digits in `unit`: no sign, no spaces, no fraction, no junk behind; else
 * `undefined`.
 */
export function parseTimestamp(text: string | undefined, unit: TimestampUnit = "s"): number | undefined {
  if (text === undefined || text === "" || text.length > MAX_DIGITS) return undefined;
  let number = 0;
  // Digit by digit: an expression that tells them, and a number made of the text, take several times as long.
  for (let at = 0; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    number = number * 10 + digit;
  }
  return unit === "s" ? number : Math.floor(number / 1000);
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
