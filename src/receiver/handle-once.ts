import type { Bus } from "../bus/bus.ts";
import type { DeliveryFacts } from "../bus/context.ts";
import type { Dispatched } from "../bus/dispatch.ts";
import { DispatchError, StaleTokenError, type SubscriberFailure } from "../errors.ts";
import type { Claim, ClaimOptions, IdempotencyStore } from "../idempotency/store.ts";
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
        const ended = end(bus, facts, run, await bus.dispatch(event, facts, run));
        result = ended instanceof Promise ? await ended : ended;
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
  { data, source }: Content,
  leaseMs: number,
): ClaimedRun | Result | Promise<ClaimedRun | Result> {
  const options = { leaseMs, fingerprint: fingerprintOf(data, source) };
  const claim = claimOf(store, key, options);
  return claim instanceof Promise
    ? claim.then((answer) => begun(bus, store, answer, options))
    : begun(bus, store, claim, options);
}

function begun(bus: Bus, store: IdempotencyStore, claim: Claim, options: ClaimOptions): ClaimedRun | Result {
  if (claim.state === "claimed") return new ClaimedRun(store, claim, options.leaseMs, bus.clock);
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
): Result | Promise<Result> {
  const result = resultOf(bus, facts, failures);
  if (late !== undefined) {
    // The claim is held until every subscriber has really settled: no retry may run beside one that still works.
    void late.then((finished) => run.end(finished));
    return result;
  }
  const ended = run.end(result.receipt.outcome === "handled");
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
  { data, source }: Content,
  leaseMs: number,
): Promise<Result | undefined> {
  const store = bus.idempotency;
  if (store === false) return undefined;
  const claim = await claimOf(store, facts.key, { leaseMs, fingerprint: fingerprintOf(data, source) });
  if (claim.state === "busy") return { receipt: busy(), reason: "busy" };
  if (claim.state === "done") return { receipt: acknowledged("duplicate", bus.provider.success) };
  try {
    await store.complete(claim.token);
  } catch (cause) {
    throw unanswered(cause);
  }
  return undefined;
}

function claimOf(store: IdempotencyStore, key: string, options: ClaimOptions): Claim | Promise<Claim> {
  try {
    const answer = store.claim(key, options);
    return "state" in answer ? answer : waitedFor(answer);
  } catch (cause) {
    throw unanswered(cause);
  }
}

async function waitedFor(answer: Promise<Claim>): Promise<Claim> {
  try {
    return await answer;
  } catch (cause) {
    throw unanswered(cause);
  }
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
