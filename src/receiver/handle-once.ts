import type { Bus } from "../bus/bus.ts";
import type { DeliveryFacts } from "../bus/context.ts";
import { DispatchError, StaleTokenError, type StoreUnavailableError, type SubscriberFailure } from "../errors.ts";
import type { Claim, ClaimOptions, IdempotencyStore } from "../idempotency/store.ts";
import { ClaimedRun, unanswered } from "./claimed-run.ts";
import { busy, claimLost, receiptOf } from "./failure.ts";
import type { Passed } from "./filter.ts";
import { fingerprintOf, type Source } from "./fingerprint.ts";
import { acknowledged } from "./receipt.ts";
import type { Result } from "./timed.ts";

/** What of an event tells whether another delivery of it carries the same. */
export interface Content {
  readonly data: unknown;
  readonly source: Source | undefined;
}

/** Runs the event's subscribers, unless another delivery of it did or does, and remembers which of them are done. */
export async function handleOnce(
  bus: Bus,
  { event, facts }: Passed,
  { data, source }: Content,
  leaseMs: number,
): Promise<Result> {
  const store = bus.idempotency;
  if (store === false) return resultOf(bus, facts, (await bus.dispatch(event, facts)).failures);

  const fingerprint = fingerprintOf(data, source);
  const asked = claimOf(store, facts.key, { leaseMs, fingerprint });
  const claim = "state" in asked ? asked : await asked;
  if (claim.state === "busy") return { receipt: busy(), reason: "busy" };
  if (claim.state === "done") {
    return { receipt: acknowledged("duplicate", bus.provider.success), conflict: claim.fingerprint !== fingerprint };
  }

  const run = new ClaimedRun(store, claim, leaseMs, bus.clock);
  const { failures, late } = await bus.dispatch(event, facts, run);
  const result = resultOf(bus, facts, failures);
  if (late !== undefined) {
    // The claim is held until every subscriber has really settled: no retry may run beside one that still works.
    void late.then((finished) => run.end(finished));
    return result;
  }
  const ended = run.end(result.receipt.outcome === "handled");
  if (ended !== undefined) await ended;
  return run.refusal ? refusedByStore(result, run.refusal) : result;
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

/** The store does not know what became of the run: nothing is acknowledged, and the next delivery will find out. */
function refusedByStore(result: Result, refusal: StaleTokenError | StoreUnavailableError): Result {
  if (result.receipt.outcome === "handled") {
    return refusal instanceof StaleTokenError
      ? { receipt: claimLost(), reason: "claim_lost", error: refusal }
      : { receipt: receiptOf(refusal), reason: "store", error: refusal };
  }
  // What the subscribers failed with comes first. A claim that was lost anyway had nothing to give back.
  if (refusal instanceof StaleTokenError) return result;
  return { receipt: receiptOf(refusal), reason: "store", error: result.error, storeError: refusal };
}
