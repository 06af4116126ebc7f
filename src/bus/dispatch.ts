import type { Clock } from "../clock.ts";
import { Ignore, Reject, type SubscriberFailure, SubscriberTimeoutError } from "../errors.ts";
import { isThenable } from "../thenable.ts";
import { DeliveryContext, type DeliveryFacts } from "./context.ts";
import type { Marks } from "./marks.ts";
import type { Notifications } from "./notifications.ts";
import type { Step } from "./steps.ts";
import { markOf, type Subscription } from "./subscription.ts";

export interface DispatchOptions {
  readonly notifications: Notifications;
  readonly clock: Clock;
  /** The full name, for the listeners. */
  readonly name: string;
  /** Where the event is remembered: who is done with it already, and who gets done now. */
  readonly marks?: Marks | undefined;
}

export interface Dispatched {
  /** What went wrong, in subscription order. */
  readonly failures: readonly SubscriberFailure[];
  /** Whether some subscriber has settled and wants another try, or was not started because the run was halted. */
  readonly unfinished: boolean;
  /**
   * Settles, never rejecting, when the subscribers that ran out of time have really settled: to whether no subscriber
   * is left that did not finish. Absent when none ran out of time.
   */
  readonly late: Promise<boolean> | undefined;
}

/**
 * Runs every subscription of the list in order, each awaited, whatever becomes of the others. The list is a snapshot:
 * who subscribes meanwhile hears of the next event.
 */
export async function dispatch(
  subscriptions: readonly Subscription[],
  event: unknown,
  facts: DeliveryFacts,
  options: DispatchOptions,
): Promise<Dispatched> {
  const failures: SubscriberFailure[] = [];
  const late: Promise<boolean>[] = [];
  let unfinished = false;
  const { marks, notifications } = options;
  const heard = notifications.hears("hookbus.deliver");
  const due = marks ? dueAmong(subscriptions, marks) : subscriptions;
  // Until its run has shown whether this was its one event, no other dispatch may find it.
  for (const subscription of due) if (subscription.once) notifications.suspend(subscription);
  const last = due.at(-1);

  for (const subscription of due) {
    if (marks?.halt) {
      unfinished = true;
      again(subscription, options);
      continue;
    }
    const started = performance.now();
    const context = new DeliveryContext(facts, subscription.name, markOf(subscription), marks);
    let failure: SubscriberFailure | undefined;
    let settled = true;
    try {
      const result = subscription.listener(options.name, context, event);
      if (isThenable(result)) {
        if (subscription.timeoutMs === undefined) await result;
        else await within(subscription.timeoutMs, result, context, options.clock);
      }
    } catch (caught) {
      const thrown = lookable(caught);
      if (thrown instanceof Overdue) {
        settled = false;
        failure = { subscriber: subscription.name, error: thrown.error };
        late.push(endOfOverdue(thrown, subscription, options));
      } else if (!(thrown instanceof Ignore)) {
        failure = { subscriber: subscription.name, error: thrown };
      }
    }
    if (failure) failures.push(failure);
    if (settled && (!failure || isFinal(failure.error))) {
      const isLast = subscription === last && !unfinished && late.length === 0;
      const marked = done(subscription, failure !== undefined, isLast, options);
      if (marked !== undefined) await marked;
    } else if (settled) {
      unfinished = true;
      again(subscription, options);
    }
    if (heard || failure) {
      notifications.emitStep(deliverStep(facts, subscription.name, performance.now() - started, failure));
    }
  }
  return { failures, unfinished, late: late.length === 0 ? undefined : endOfAll(late, unfinished) };
}

/** Settles with the subscriber that ran out of time, and says whether it finished. A closure in its place would cost every event. */
async function endOfOverdue(
  { settled }: Overdue,
  subscription: Subscription,
  options: DispatchOptions,
): Promise<boolean> {
  const end = await settled;
  if (end === "failed") again(subscription, options);
  else await done(subscription, end === "rejected", false, options);
  return end !== "failed";
}

async function endOfAll(late: readonly Promise<boolean>[], unfinished: boolean): Promise<boolean> {
  const finished = await Promise.all(late);
  return !unfinished && finished.every(Boolean);
}

function done(
  subscription: Subscription,
  rejected: boolean,
  last: boolean,
  { notifications, marks }: DispatchOptions,
): void | Promise<void> {
  if (subscription.once) notifications.remove(subscription);
  return marks?.markDone(markOf(subscription), rejected, last);
}

function again(subscription: Subscription, { notifications }: DispatchOptions): void {
  if (subscription.once) notifications.resume(subscription);
}

/** Thrown for a subscriber that ran out of time and is still running. */
class Overdue {
  readonly error: SubscriberTimeoutError;
  /** How it ended. Never rejects. */
  readonly settled: Promise<End>;

  constructor(error: SubscriberTimeoutError, settled: Promise<End>) {
    this.error = error;
    this.settled = settled;
  }
}

async function within(
  timeoutMs: number,
  result: PromiseLike<unknown>,
  context: DeliveryContext,
  clock: Clock,
): Promise<void> {
  // Once: asking a lazy thenable (a query builder's) for its result again would send the query again.
  const running = Promise.resolve(result);
  let timer: unknown;
  const overdue = new Promise<never>((_, reject) => {
    timer = clock.setTimeout(() => {
      const error = new SubscriberTimeoutError(`subscriber "${context.subscriber}" did not settle in ${timeoutMs} ms`);
      const settled = running.then((): End => "done", endOf);
      reject(new Overdue(error, settled));
      context.abort(error);
    }, timeoutMs);
  });
  try {
    await Promise.race([running, overdue]);
  } finally {
    clock.clearTimeout(timer);
  }
}

/** How a subscriber ended: only one that failed wants another try. */
type End = "done" | "rejected" | "failed";

function endOf(caught: unknown): End {
  const thrown = lookable(caught);
  if (thrown instanceof Ignore) return "done";
  return thrown instanceof Reject ? "rejected" : "failed";
}

/** What may be asked for its class: of some proxies even that throws, wherever it is asked. */
function lookable(thrown: unknown): unknown {
  try {
    void (thrown instanceof Error);
    return thrown;
  } catch {
    return new TypeError("the subscriber threw a proxy that cannot be looked at");
  }
}

function isFinal(thrown: unknown): boolean {
  return endOf(thrown) !== "failed";
}

/** Who has not finished with the event yet, of those it is for. */
function dueAmong(subscriptions: readonly Subscription[], { done, only }: Marks): readonly Subscription[] {
  if (done.length === 0 && !only) return subscriptions;
  return subscriptions.filter((each) => {
    const mark = markOf(each);
    return !done.includes(mark) && (only?.includes(mark) ?? true);
  });
}

function deliverStep(
  facts: DeliveryFacts,
  subscriber: string,
  durationMs: number,
  failure: SubscriberFailure | undefined,
): Step {
  return {
    name: "hookbus.deliver",
    bus: facts.bus,
    provider: facts.provider,
    durationMs,
    outcome: failure ? "failed" : "handled",
    id: facts.id,
    type: facts.type,
    verifiedBy: facts.verifiedBy,
    subscriber,
    ...(failure && { error: failure.error }),
  };
}
