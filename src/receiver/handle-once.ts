import type { Bus } from "../bus/bus.ts";
import type { DeliveryFacts } from "../bus/context.ts";
import type { Dispatched } from "../bus/dispatch.ts";
import { DispatchError, StaleTokenError, type SubscriberFailure } from "../errors.ts";
import type { Claim, ClaimOptions, ClaimToken, IdempotencyStore } from "../idempotency/store.ts";
import { ClaimedRun, unanswered } from "./claimed-run.ts";
import { busy, claimLost, failedGenuine, receiptOf } from "./failure.ts";
import type { Passed } from "./filter.ts";
import { fingerprintOf, type Source } from "./fingerprint.ts";
import { acknowledged } from "./receipt.ts";
import type { Result } from "./timed.ts";

/** What of an event tells whether another delivery of it carries the same. */
export interface Content {
  readonly data: unknown;
  readonly source: Source | undefined;
  /** Its type, where no signature covers that. */
  readonly unsignedType: string | undefined;
}

/**
 * The mark that an event has failed under a type that no signature covers: until it is handled under that one, no other
 * type may end it. No subscriber is called so.
 */
function markOfType({ unsignedType }: Content): string | undefined {
  return unsignedType === undefined ? undefined : `${TYPE}${unsignedType}`;
}

const TYPE = "(type) ";

/** Whether the event failed before as one of another type. */
function isOfAnotherType({ unsignedType }: Content, done: readonly string[]): boolean {
  if (unsignedType === undefined || done.length === 0) return false;
  return done.some((mark) => mark.startsWith(TYPE) && mark.slice(TYPE.length) !== unsignedType);
}

/**
 * Runs the event's subscribers, unless another delivery of it did or does, and remembers which of them are done. Never
 * rejects: the event is genuine, and what goes wrong with it is its result.
 */
export async function handleOnce(bus: Bus, passed: Passed, content: Content, leaseMs: number): Promise<Result> {
  const { event, facts } = passed;
  const store = bus.idempotency;
  let result: Result;
  try {
    if (store === false) result = resultOf(bus, facts, (await bus.dispatch(event, facts)).failures);
    else {
      const asked = begin(bus, store, facts.key, content, leaseMs);
      const run = asked instanceof Promise ? await asked : asked;
      if (run instanceof ClaimedRun) {
        try {
          const ended = end(bus, facts, run, await bus.dispatch(event, facts, run), content);
          result = ended instanceof Promise ? await ended : ended;
        } catch (error) {
          // Nobody was called, or it is not known who: a claim that nobody ends is kept alive for ever.
          await run.end(false, markOfType(content));
          throw error;
        }
      } else result = run;
    }
  } catch (error) {
    result = failedGenuine(error);
  }
  result.facts = facts;
  return result;
}

/** The run of an event, or why there is to be none. */
function begin(
  bus: Bus,
  store: IdempotencyStore,
  key: string,
  content: Content,
  leaseMs: number,
): ClaimedRun | Result | Promise<ClaimedRun | Result> {
  const options = { leaseMs, fingerprint: fingerprintOf(content.data, content.source) };
  const claim = claimOf(store, key, options);
  return claim instanceof Promise
    ? claim.then((answer) => begun(bus, store, answer, options, content))
    : begun(bus, store, claim, options, content);
}

function begun(
  bus: Bus,
  store: IdempotencyStore,
  claim: Claim,
  options: ClaimOptions,
  content: Content,
): ClaimedRun | Result | Promise<Result> {
  if (claim.state === "claimed") {
    if (isOfAnotherType(content, claim.done)) return ofAnotherType(store, claim.token);
    return new ClaimedRun(store, claim, options.leaseMs, bus.clock);
  }
  if (claim.state === "busy") return { receipt: busy(), reason: "busy" };
  const conflict = claim.fingerprint !== options.fingerprint;
  return { receipt: acknowledged("duplicate", bus.provider.success), conflict };
}

/** Tells the store how a run ended, and says what came of it. */
function end(
  bus: Bus,
  facts: DeliveryFacts,
  run: ClaimedRun,
  { failures, late }: Dispatched,
  content: Content,
): Result | Promise<Result> {
  const result = resultOf(bus, facts, failures);
  if (late !== undefined) {
    // The claim is held until every subscriber has really settled: no retry may run beside one that still works.
    void late.then((finished) => run.end(finished, markOfType(content)));
    return result;
  }
  const ended = run.end(result.receipt.outcome === "handled", markOfType(content));
  return ended === undefined ? accepted(run, result) : ended.then(() => accepted(run, result));
}

/**
 * Uses an event up without running anybody: `undefined` where that was done, else what stands in the way.
 *
 * An event whose type no signature covers must not stay good for later once it is ignored, or whoever captured it could
 * send it again as one of another type.
 */
export async function useUp(
  bus: Bus,
  facts: DeliveryFacts,
  content: Content,
  leaseMs: number,
): Promise<Result | undefined> {
  const store = bus.idempotency;
  if (store === false) return undefined;
  const fingerprint = fingerprintOf(content.data, content.source);
  const claim = await claimOf(store, facts.key, { leaseMs, fingerprint });
  if (claim.state === "busy") return { receipt: busy(), reason: "busy" };
  if (claim.state === "done") return { receipt: acknowledged("duplicate", bus.provider.success) };
  if (isOfAnotherType(content, claim.done)) return ofAnotherType(store, claim.token);
  try {
    await store.complete(claim.token);
  } catch (cause) {
    throw unanswered(cause);
  }
  return undefined;
}

async function ofAnotherType(store: IdempotencyStore, token: ClaimToken): Promise<Result> {
  try {
    await store.release(token);
  } catch (cause) {
    throw unanswered(cause);
  }
  return { receipt: busy(), reason: "other_type" };
}

function claimOf(store: IdempotencyStore, key: string, options: ClaimOptions): Claim | Promise<Claim> {
  try {
    const answer = store.claim(key, options);
    return isClaim(answer) ? answer : waitedFor(answer);
  } catch (cause) {
    throw unanswered(cause);
  }
}

async function waitedFor(promised: unknown): Promise<Claim> {
  try {
    const answer = await promised;
    if (isClaim(answer)) return answer;
    throw new TypeError('a claim must be answered by { state: "claimed", token, done }, "busy" or "done"');
  } catch (cause) {
    throw unanswered(cause);
  }
}

/** A store may be somebody's own: whatever it answers beside these says nothing about the event. */
function isClaim(answer: unknown): answer is Claim {
  if (typeof answer !== "object" || answer === null || !("state" in answer)) return false;
  const { state, token, done, fingerprint } = answer as Readonly<Record<string, unknown>>;
  if (state === "claimed") return typeof token === "object" && token !== null && Array.isArray(done);
  return state === "busy" || (state === "done" && typeof fingerprint === "string");
}

function resultOf(bus: Bus, facts: DeliveryFacts, failures: readonly SubscriberFailure[]): Result {
  if (failures.length === 0) return { receipt: acknowledged("handled", bus.provider.success) };
  const error = new DispatchError(facts.type, failures);
  const receipt = receiptOf(error);
  return { receipt: receipt.status === 200 ? acknowledged("handled", bus.provider.success) : receipt, error };
}

/** Where the store does not know what became of the run, nothing is acknowledged, and the next delivery will find out. */
function accepted({ refusal }: ClaimedRun, result: Result): Result {
  if (refusal === undefined) return result;
  if (result.receipt.outcome === "handled") {
    return refusal instanceof StaleTokenError
      ? { receipt: claimLost(), reason: "claim_lost", error: refusal }
      : { receipt: receiptOf(refusal), reason: "store", error: refusal };
  }
  // What the subscribers failed with comes first. A claim that was lost anyway had nothing to give back.
  if (refusal instanceof StaleTokenError) return result;
  return { receipt: receiptOf(refusal), reason: "store", error: result.error, storeError: refusal };
}
