import { EventEmitter } from "eventemitter3";
import { ConfigurationError } from "../errors.ts";
import { type NotificationAdapter, notificationAdapter } from "./adapter.ts";
import { unheard } from "./logger.ts";
import { matches, matchingPatterns } from "./patterns.ts";
import { STEPS, type Step, type StepListener } from "./steps.ts";
import {
  assertSubscribeOptions,
  assertSubscriber,
  type Disposer,
  disposer,
  type SubscribeOptions,
  type Subscriber,
} from "./subscriber.ts";
import type { Subscription } from "./subscription.ts";

export interface SubscriptionRequest extends SubscribeOptions {
  /** The mark of the bus that subscribes, which alone its subscriptions hear; empty for subscriptions across buses. */
  readonly scope?: string;
  readonly adapter?: NotificationAdapter;
  readonly once?: boolean;
}

/** What the events of every provider have. */
export interface PublishedEvent {
  readonly id: string;
  readonly type: string;
}

/**
 * The notifications that buses publish on, in the way of ActiveSupport::Notifications.
 *
 * An eventemitter3 emitter holds the listeners, keyed by pattern. Events are dispatched over the list that it holds,
 * since its `emit` cannot await; hookbus's own steps are emitted by it.
 */
export class Notifications {
  readonly #emitter: EventEmitter;
  /** Whether nobody else can listen on the emitter. */
  readonly #own: boolean;
  readonly #subscriptions = new Map<(...args: never[]) => unknown, Subscription>();
  readonly #stepListeners = new Map<Disposer, unknown>();
  readonly #names = new Map<string, Set<string>>();
  /** Replaced when one comes or goes: there are few, and they are told of every refusal. */
  #logs: readonly StepListener[] = [];
  readonly #steps = new Map<string, readonly string[]>();
  #order = 0;
  #generation = 0;

  /** @param emitter where the listeners are held; default: a new emitter. */
  constructor(emitter?: EventEmitter) {
    this.#emitter = emitter ?? new EventEmitter();
    this.#own = emitter === undefined;
  }

  /** Listens to hookbus's own steps. What the listener throws is dropped. */
  subscribe(pattern: "hookbus" | `hookbus.${string}`, listener: StepListener): Disposer;
  /**
   * Listens across buses, by full names: `"stripe_event."`, `"stripe_event.charge.paid"`, or `""` for every event.
   * Such subscribers are awaited like those of a bus, and their failures are failures. Which events come depends on the
   * pattern alone: `Event` is the caller's word for them.
   */
  subscribe(pattern: string, subscriber: Subscriber<PublishedEvent>, options?: SubscribeOptions): Disposer;
  subscribe<Event extends object>(pattern: string, subscriber: Subscriber<Event>, options?: SubscribeOptions): Disposer;
  subscribe(pattern: string, subscriber: Subscriber<never>, options: SubscribeOptions = {}): Disposer {
    assertPattern(pattern);
    if (!isStepPattern(pattern)) return this.add(pattern, subscriber, options);
    if (typeof subscriber !== "function") throw new TypeError("`listener` of hookbus's steps must be a function");
    const listener: StepListener = (step) => subscriber(step as never, undefined as never);
    this.#emitter.on(pattern, listener);
    const dispose = disposer(() => {
      this.#emitter.off(pattern, listener);
      this.#stepListeners.delete(dispose);
    });
    this.#stepListeners.set(dispose, subscriber);
    return dispose;
  }

  /** Removes every subscription across buses, and to steps, of `subscriber`; says whether there was one. */
  unsubscribe(subscriber: Subscriber<never> | StepListener): boolean {
    const disposers = [...this.#stepListeners]
      .filter(([, listener]) => listener === subscriber)
      .map(([dispose]) => dispose);
    for (const dispose of disposers) dispose();
    return this.removeAll(subscriber, "") || disposers.length > 0;
  }

  /** Whether anything would hear of `name`: `"stripe_event.charge.paid"`, or a step such as `"hookbus.receive"`. */
  listening(name: string, delimiter = "."): boolean {
    return patternsOf(name, delimiter).some((pattern) => this.#emitter.listenerCount(pattern) > 0);
  }

  /** @internal Subscribes on behalf of a bus. */
  add(pattern: string, subscriber: Subscriber<never>, request: SubscriptionRequest = {}): Disposer {
    assertSubscriber(subscriber);
    assertSubscribeOptions(request);
    const { adapter = notificationAdapter, scope = "" } = request;
    const order = this.#order++;
    const adapted = adapter(subscriber);
    if (typeof adapted !== "function") throw new TypeError("`adapter` must return a function");
    const subscription: Subscription = {
      pattern,
      subscriber,
      // A listener of its own, so that one function subscribed twice stays two subscriptions.
      listener: (...args) => adapted(...args),
      ...this.#nameOf(subscriber, request, scope, order),
      scope,
      timeoutMs: request.timeoutMs,
      once: request.once ?? false,
      order,
    };
    const names = this.#names.get(scope) ?? new Set();
    this.#names.set(scope, names.add(subscription.name));
    this.#subscriptions.set(subscription.listener, subscription);
    this.resume(subscription);
    return disposer(() => this.remove(subscription));
  }

  /** @internal Ends a subscription; a dispatch that has begun still calls it. */
  remove(subscription: Subscription): void {
    if (!this.#subscriptions.delete(subscription.listener)) return;
    this.#names.get(subscription.scope)?.delete(subscription.name);
    this.suspend(subscription);
  }

  /** @internal Ends every subscription of `subscriber` in `scope`; says whether there was one. */
  removeAll(subscriber: unknown, scope: string): boolean {
    const found = [...this.#subscriptions.values()].filter(
      (subscription) => subscription.subscriber === subscriber && subscription.scope === scope,
    );
    for (const subscription of found) this.remove(subscription);
    return found.length > 0;
  }

  /** @internal Takes a subscription off the list without ending it: it keeps its name, and can be removed for good. */
  suspend(subscription: Subscription): void {
    this.#emitter.off(subscription.pattern, subscription.listener);
    this.#generation++;
  }

  /** @internal Puts a subscription on the list, at its place in the order, unless it has been removed for good. */
  resume(subscription: Subscription): void {
    if (!this.#subscriptions.has(subscription.listener)) return;
    this.#emitter.on(subscription.pattern, subscription.listener);
    this.#generation++;
  }

  /** @internal Another number whenever a subscription came or went: lists of an older one may be out of date. */
  get generation(): number {
    return this.#generation;
  }

  /**
   * @internal The subscriptions of one bus, and those across buses, that `name` reaches, in the order they were made.
   * The list never changes.
   */
  resolve(name: string, delimiter: string, scope: string): readonly Subscription[] {
    const found: Subscription[] = [];
    for (const pattern of matchingPatterns(name, delimiter)) {
      for (const listener of this.#emitter.listeners(pattern)) {
        const subscription = this.#subscriptions.get(listener);
        if (subscription && (subscription.scope === scope || subscription.scope === "")) found.push(subscription);
      }
    }
    return found.sort((a, b) => a.order - b.order);
  }

  /** @internal Whether `scope` has subscriptions. */
  has(scope: string): boolean {
    return [...this.#subscriptions.values()].some((subscription) => subscription.scope === scope);
  }

  /** @internal The subscriptions that events under the namespace `prefix` may reach: those of `scope`, and across buses. */
  within(prefix: string, delimiter: string, scope: string): Subscription[] {
    return [...this.#subscriptions.values()].filter((subscription) => {
      if (subscription.scope !== "") return subscription.scope === scope;
      return subscription.pattern.startsWith(prefix) || matches(subscription.pattern, prefix, delimiter);
    });
  }

  /** @internal A log: told of every step that is emitted, and no reason to emit one that tells of no trouble. */
  log(listener: StepListener): Disposer {
    this.#logs = [...this.#logs, listener];
    return disposer(() => {
      this.#logs = this.#logs.filter((each) => each !== listener);
    });
  }

  /** @internal Whether somebody listens to the steps of this name, logs aside. */
  hears(name: Step["name"]): boolean {
    // Asked several times a delivery, and seldom by anybody who is heard.
    if (this.#unheard) return false;
    for (const pattern of this.#patternsOfStep(name)) if (this.#emitter.listenerCount(pattern) > 0) return true;
    return false;
  }

  /** Whether no step of any name is listened to, logs aside. */
  get #unheard(): boolean {
    return this.#own && this.#stepListeners.size === 0;
  }

  #patternsOfStep(name: Step["name"]): readonly string[] {
    const known = this.#steps.get(name);
    if (known) return known;
    const patterns = patternsOf(name, ".");
    this.#steps.set(name, patterns);
    return patterns;
  }

  /** @internal Tells the logs of a step, and nobody else. */
  logStep(step: Step): void {
    for (const log of this.#logs) shield(log, step);
  }

  /** @internal Emits one of hookbus's steps. A listener that fails, now or later, changes nothing. */
  emitStep(step: Step): void {
    this.logStep(step);
    if (this.#unheard) return;
    for (const pattern of this.#patternsOfStep(step.name)) {
      if (this.#emitter.listenerCount(pattern) === 0) continue;
      for (const listener of this.#emitter.listeners(pattern)) shield(listener as StepListener, step);
    }
  }

  #nameOf(
    subscriber: Subscriber<never>,
    options: SubscribeOptions,
    scope: string,
    order: number,
  ): { name: string; named: boolean } {
    const taken = this.#names.get(scope);
    if (options.name !== undefined) {
      if (!taken?.has(options.name)) return { name: options.name, named: true };
      throw new ConfigurationError(
        `a subscriber named "${options.name}" exists already: give each subscriber of a bus a \`name\` of its own`,
      );
    }
    // A function's name does not survive a minifier: only an object's own counts.
    const own = typeof subscriber === "object" ? subscriber.name : undefined;
    const given = typeof own === "string" && own.trim() !== "";
    if (given && !taken?.has(own)) return { name: own, named: true };
    let name = `${given ? own : brandOf(subscriber)}-${order}`;
    // Somebody may have given just that name.
    while (taken?.has(name)) name += "+";
    return { name, named: false };
  }
}

function assertPattern(pattern: unknown): void {
  if (typeof pattern !== "string") throw new TypeError("`pattern` must be a string");
}

/** What its author calls the subscriber, for whoever reads a log; it need not survive a minifier. */
function brandOf(subscriber: Subscriber<never>): string {
  const name = typeof subscriber === "function" ? subscriber.name : subscriber.constructor?.name;
  return name && name !== "Object" ? name : "subscriber";
}

function isStepPattern(pattern: string): boolean {
  return matches(STEPS, pattern, ".");
}

/** The patterns under which a listener hears of `name`: steps are heard by those who name them, events by the others. */
function patternsOf(name: string, delimiter: string): string[] {
  return isStepPattern(name) ? matchingPatterns(name, ".").filter(isStepPattern) : matchingPatterns(name, delimiter);
}

/** As `shielded`, without a function made for every step. */
function shield(listener: StepListener, step: Step): void {
  try {
    unheard(listener(step));
  } catch {
    // A mere listener must not decide what becomes of a delivery; what it does with its own errors is its affair.
  }
}
