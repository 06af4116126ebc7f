import type { RejectionReason } from "../provider.ts";

/** Twelve digits reach the year 33658, and stay far within what a number holds exactly. */
const SECONDS = /^[0-9]{1,12}$/;

/** Seconds since 1970 from plain decimal digits: no sign, no spaces, no fraction, no junk behind; else `undefined`. */
export function parseSeconds(text: string | undefined): number | undefined {
  return text !== undefined && SECONDS.test(text) ? Number(text) : undefined;
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
