import type { DeliveryContext } from "./context.ts";

export type SubscriberFunction<Event> = (event: Event, context: DeliveryContext) => unknown;

/** An object with `call(event, context)`. `apply` keeps plain functions out, which have a `call` of their own. */
export interface SubscriberObject<Event> {
  /** Its name in logs, errors and records; see `SubscribeOptions.name`. */
  readonly name?: string;
  call(event: Event, context: DeliveryContext): unknown;
  readonly apply?: never;
}

export type Subscriber<Event> = SubscriberFunction<Event> | SubscriberObject<Event>;

export interface SubscribeOptions {
  /**
   * Unique within the bus. Stores that outlive the process need it to know the subscriber again after a deploy; default:
   * the object's `name` property, else a number.
   */
  readonly name?: string;
  /**
   * After this many milliseconds the subscriber counts as failed and its `context.signal` aborts; default: none.
   * The event stays claimed until the subscriber really settles.
   */
  readonly timeoutMs?: number;
}

/** Undoes a subscription. Also `Disposable`: `using subscription = bus.subscribe(…)`. */
export interface Disposer extends Disposable {
  (): void;
}

export function disposer(dispose: () => void): Disposer {
  // Node 20.0 to 20.4 lack the symbol; the package asks for 20.19, where it is there.
  return Object.assign(() => dispose(), { [Symbol.dispose]: () => dispose() });
}

/** Throws the `TypeError` that a wrong argument deserves at the line that passed it. */
export function assertSubscriber(subscriber: unknown): asserts subscriber is Subscriber<never> {
  if (typeof subscriber === "function") {
    // A class cannot be called: it would fail with every event, and not at the line that passed it.
    if (!/^class\b/.test(Function.prototype.toString.call(subscriber))) return;
    throw new TypeError("`subscriber` is a class: pass an instance, new Subscriber()");
  }
  if (typeof subscriber === "object" && subscriber !== null && "call" in subscriber) {
    if (typeof subscriber.call === "function") return;
  }
  throw new TypeError("`subscriber` must be a function or an object with a `call(event, context)` method");
}

/** Throws the `TypeError` that wrong options deserve. */
export function assertSubscribeOptions(options: SubscribeOptions): void {
  if (options.name !== undefined && (typeof options.name !== "string" || options.name.trim() === "")) {
    throw new TypeError("`name` of a subscriber must be a string that is not empty");
  }
  const { timeoutMs } = options;
  if (timeoutMs !== undefined && !(Number.isFinite(timeoutMs) && timeoutMs > 0 && timeoutMs <= 2_147_483_647)) {
    throw new TypeError("`timeoutMs` must be a number of milliseconds above zero and at most 2147483647");
  }
}
