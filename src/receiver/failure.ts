import {
  BodyTimeoutError,
  BodyTooLargeError,
  DispatchError,
  HookbusError,
  PayloadError,
  ProcessError,
  ProviderUnavailableError,
  Reject,
  RequestAbortedError,
  RetryLater,
  SecretsUnavailableError,
  StoreUnavailableError,
  type SubscriberFailure,
  UnknownEventError,
} from "../errors.ts";
import { acknowledged, type Receipt, refused, refusedForNow } from "./receipt.ts";
import type { Result } from "./timed.ts";

/** Seconds after which a store that was down, or an event that was busy, is worth another try. */
const RETRY_AFTER_SECONDS = 5;

/** The answer that an error of the pipeline deserves. What is not known is our fault: 500, and the sender retries. */
export function receiptOf(error: unknown): Receipt {
  if (error instanceof BodyTooLargeError) return refused(413, "rejected");
  if (error instanceof BodyTimeoutError) return refused(408, "rejected");
  if (error instanceof RequestAbortedError || error instanceof PayloadError) return refused(400, "rejected");
  if (error instanceof UnknownEventError) return refused(401, "rejected");
  if (error instanceof ProviderUnavailableError) return refusedForNow(503, "failed", error.retryAfterSeconds);
  if (error instanceof StoreUnavailableError || error instanceof SecretsUnavailableError) {
    return refusedForNow(503, "failed", RETRY_AFTER_SECONDS);
  }
  if (error instanceof DispatchError) return worstOf(error.failures);
  return refused(500, "failed");
}

/** What a delivery comes to that ended with `error`. */
export function failed(error: unknown): Result {
  return { receipt: receiptOf(error), reason: error instanceof HookbusError ? error.code : "unexpected", error };
}

/**
 * What a delivery comes to that ended with `error` after it was known to be genuine: whatever goes wrong from there on is
 * no fault of the sender's, even when what the user's code threw is called an unknown event or a bad payload.
 */
export function failedGenuine(error: unknown): Result {
  const result = failed(error);
  return result.receipt.outcome === "failed" ? result : { ...result, receipt: refused(500, "failed") };
}

/** The answer when another run holds the event. */
export function busy(): Receipt {
  return refusedForNow(409, "duplicate", RETRY_AFTER_SECONDS);
}

/** The answer when every subscriber finished, and another run had taken the event over by then. */
export function claimLost(): Receipt {
  return refusedForNow(409, "failed", RETRY_AFTER_SECONDS);
}

/** From the worst to the best: a delivery of many events is acknowledged only when all of them are. */
const WORST_FIRST = [503, 500, 422, 409];

/** What becomes of a delivery that carried many events: what became of the worst of them, or else of the first handled or queued. */
export function worstResult(results: readonly Result[]): Result {
  // What nearly all carry.
  if (results.length === 1) return results[0] as Result;
  const rank = ({ receipt }: Result): number => {
    const place = WORST_FIRST.indexOf(receipt.status);
    if (place >= 0) return place;
    return WORST_FIRST.length + (receipt.outcome === "handled" || receipt.outcome === "queued" ? 0 : 1);
  };
  // Of two that ask for a later try, the later one: the sender delivers all of them again at once.
  const [worst, ...others] = results.toSorted(
    (one, other) => rank(one) - rank(other) || retryAfter(other) - retryAfter(one),
  );
  return { ...(worst as Result), ...(others.length > 0 ? { others } : {}) };
}

function retryAfter({ receipt }: Result): number {
  return Number(receipt.headers["retry-after"] ?? 0);
}

/** Of several failures the worst wins: a later try, then a fault, then what the event itself is to blame for. */
function worstOf(failures: readonly SubscriberFailure[]): Receipt {
  const errors = failures.map((failure) => failure.error);
  const later = errors.filter((error) => error instanceof RetryLater);
  if (later.length > 0) return refusedForNow(503, "failed", Math.max(...later.map((error) => error.afterSeconds)));
  if (errors.some((error) => !(error instanceof ProcessError || error instanceof Reject)))
    return refused(500, "failed");
  if (errors.some((error) => error instanceof ProcessError)) return refused(422, "failed");
  return acknowledged("handled");
}
