import { LRUCache } from "lru-cache";
import { type Clock, systemClock } from "../clock.ts";
import { ConfigurationError, DispatchError } from "../errors.ts";
import { type Names, refuseUnknown } from "../known-options.ts";
import type { EventMap, Provider } from "../providers/provider.ts";
import { isThenable } from "../thenable.ts";
import type { DeliveryFacts } from "./context.ts";
import { type Dispatched, dispatch } from "./dispatch.ts";
import { freezeDeeply } from "./freeze.ts";
import type { Marks } from "./marks.ts";
import { Notifications } from "./notifications.ts";
import type { AnyEvent, EventFor, PatternOf } from "./pattern-types.ts";
import { objectionTo } from "./patterns.ts";
import { Settings } from "./settings.ts";
import type { Step } from "./steps.ts";
import type { Disposer, SubscribeOptions, Subscriber, SubscriberFunction, SubscriberObject } from "./subscriber.ts";
import type { Subscription } from "./subscription.ts";

export interface BusOptions {
  /** Unique among the buses of an application: keys and logs carry it. Default: the provider's name. */
  readonly name?: string;
  /** What to publish on; default: notifications of its own. */
  readonly notifications?: Notifications;
  readonly clock?: Clock;
}

/** Names go into paths and keys. */
const NAME = /^[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?$/i;

const SUBSCRIBE: Names<Required<SubscribeOptions>> = { name: true, timeoutMs: true };

/** Event types can be hostile: no more than this many resolved lists are remembered. */
const REMEMBERED_TYPES = 5_000;

/** Whom the events of a type reach. */
interface Reached {
  /** The type with the namespace before it. */
  readonly name: string;
  readonly subscriptions: readonly Subscription[];
}

const ONCE = "the one event could be delivered by any process, any number of times; use `subscribe`";

let buses = 0;

/** Subscribers of one provider's events, and the dispatch to them. */
export class Bus<Events extends EventMap = EventMap, Base = unknown> extends Settings<Events, Base> {
  readonly name: string;
  /** Tells its subscriptions from those of another bus, which may share notifications, namespace and all. */
  readonly #scope = `bus-${++buses}`;
  /** Lists of subscriptions by the types that they are for, as of a generation of the notifications. */
  #reached: LRUCache<string, Reached> | undefined;
  #generation = -1;
  /** The generation in which every subscription was found to be named. */
  #namedIn = -1;

  constructor(provider: Provider<Events, Base>, options: BusOptions = {}) {
    if (typeof provider?.verify !== "function") throw new TypeError("`provider` must be a provider, such as stripe()");
    super(provider, options.notifications ?? new Notifications(), options.clock ?? systemClock);
    this.name = options.name ?? provider.name;
    if (!NAME.test(this.name)) {
      throw new ConfigurationError("`name` of a bus must be letters, digits, `-` and `_`, 64 at most");
    }
  }

  /** Calls `block` with the bus, at once. Until it has run to its end, the bus takes no deliveries. */
  configure(block: (bus: this) => void): this {
    // Whatever ends it early, and whoever catches that: a gate that was to be set last may be missing.
    this.refuse("configure", `the function given to \`configure\` of the bus "${this.name}" did not run to its end`);
    if (typeof block !== "function") throw new TypeError("`configure` needs a function that takes the bus");
    const result: unknown = block(this);
    if (isThenable(result)) {
      // Its rejection, if any, is told by the error below: nobody else waits for it.
      result.then(undefined, () => undefined);
      throw new TypeError("the function given to `configure` must not be async: settings would arrive after requests");
    }
    this.accept("configure");
    return this;
  }

  /** The gems' other name of `configure`. */
  setup(block: (bus: this) => void): this {
    return this.configure(block);
  }

  /**
   * Calls `subscriber` with every event whose type matches `pattern`: `"charge.paid"` itself, `"charge."` and all
   * below it. Returns what undoes it.
   */
  subscribe<P extends PatternOf<Events>>(
    pattern: P,
    subscriber: SubscriberFunction<EventFor<Events, Base, P>>,
    options?: SubscribeOptions,
  ): Disposer;
  subscribe<P extends PatternOf<Events>>(
    pattern: P,
    subscriber: SubscriberObject<EventFor<Events, Base, P>>,
    options?: SubscribeOptions,
  ): Disposer;
  subscribe(pattern: string, subscriber: Subscriber<never>, options?: SubscribeOptions): Disposer {
    assertPattern(pattern);
    return this.#add(pattern, subscriber, options, false);
  }

  /** Like `subscribe`, for one event: the subscription ends with the first event that it does not fail on. */
  once<P extends PatternOf<Events>>(
    pattern: P,
    subscriber: SubscriberFunction<EventFor<Events, Base, P>>,
    options?: SubscribeOptions,
  ): Disposer;
  once<P extends PatternOf<Events>>(
    pattern: P,
    subscriber: SubscriberObject<EventFor<Events, Base, P>>,
    options?: SubscribeOptions,
  ): Disposer;
  once(pattern: string, subscriber: Subscriber<never>, options?: SubscribeOptions): Disposer {
    assertPattern(pattern);
    if (this.inbox) throw new ConfigurationError(`the bus "${this.name}" has an \`inbox\`: ${ONCE}`);
    return this.#add(pattern, subscriber, options, true);
  }

  /** Calls `subscriber` with every event of this bus. */
  all(subscriber: SubscriberFunction<AnyEvent<Events, Base>>, options?: SubscribeOptions): Disposer;
  all(subscriber: SubscriberObject<AnyEvent<Events, Base>>, options?: SubscribeOptions): Disposer;
  all(subscriber: Subscriber<never>, options?: SubscribeOptions): Disposer {
    return this.#add("", subscriber, options, false);
  }

  /** Removes every subscription of `subscriber` on this bus; says whether there was one. */
  unsubscribe(subscriber: Subscriber<never>): boolean {
    return this.notifications.removeAll(subscriber, this.#scope);
  }

  /** Whether a subscriber would hear of an event of type `type`. */
  listening(type: string): boolean {
    return this.subscriptionsFor(type).length > 0;
  }

  /** Hands `event` to its subscribers, without verification or memory of it. Rejects with `DispatchError`. */
  async publish(event: Base | Events[keyof Events]): Promise<void> {
    const facts = this.factsOf(event);
    const { failures } = await this.dispatch(event, facts);
    if (failures.length > 0) throw new DispatchError(facts.type, failures);
  }

  /** Throws `ConfigurationError` unless deliveries are authenticated somehow and every setting makes sense. */
  assertReady(): void {
    this.assertNothingRefused();
    if (!this.verifies && !this.retrieves) {
      const ways = Object.keys(this.provider.secrets);
      if (this.provider.retrieval) ways.push("apiKey");
      throw new ConfigurationError(
        `the bus "${this.name}" cannot authenticate deliveries: set ${ways.map((way) => `\`${way}\``).join(" or ")}`,
      );
    }
    if (this.inbox || (this.idempotency !== false && !this.idempotency.volatile)) this.#assertNames();
  }

  /** @internal Whether events are fetched back before they are delivered. */
  get retrieves(): boolean {
    if (this.eventRetriever) return true;
    const { retrieval } = this.provider;
    return this.apiKey !== undefined && (retrieval?.when === "api-key" || !this.verifies);
  }

  /** @internal The subscriptions an event of type `type` reaches, in order. */
  subscriptionsFor(type: string): readonly Subscription[] {
    return this.#reachedBy(type).subscriptions;
  }

  #reachedBy(type: string): Reached {
    const { notifications } = this;
    if (this.#generation !== notifications.generation) {
      // Dropped, and not cleared: that takes longer the more types there are.
      this.#reached = undefined;
      this.#generation = notifications.generation;
    }
    const known = this.#reached?.get(type);
    if (known) return known;
    const { namespace } = this;
    const name = namespace.call(type);
    const found = { name, subscriptions: notifications.resolve(name, namespace.delimiter, this.#scope) };
    this.#reached ??= new LRUCache({ max: REMEMBERED_TYPES });
    this.#reached.set(type, found);
    return found;
  }

  /** @internal */
  dispatch(event: unknown, facts: DeliveryFacts, marks?: Marks): Promise<Dispatched> {
    if (this.freezeEvents) freezeDeeply(event);
    const { name, subscriptions } = this.#reachedBy(facts.type);
    const { notifications, clock } = this;
    return dispatch(subscriptions, event, facts, { notifications, clock, name, marks });
  }

  /** @internal Publishes one of hookbus's own steps. */
  step(step: Omit<Step, "bus" | "provider">): void {
    this.notifications.emitStep({ bus: this.name, provider: this.provider.name, ...step });
  }

  /** @internal Whether anybody asked for the steps of this name; the log is told of trouble, asked or not. */
  hears(name: Step["name"]): boolean {
    return this.notifications.hears(name);
  }

  protected assertNoSubscribers(setting: string): void {
    if (this.notifications.has(this.#scope)) {
      throw new ConfigurationError(`set \`${setting}\` before the first subscriber of the bus "${this.name}"`);
    }
  }

  protected assertNoOnce(): void {
    const { delimiter } = this.namespace;
    const all = this.notifications.within(this.namespace.call(), delimiter, this.#scope);
    if (all.some(({ once }) => once)) {
      throw new ConfigurationError(`a bus with an \`inbox\` cannot have subscribers by \`once\`: ${ONCE}`);
    }
  }

  protected notificationsReplaced(): void {
    this.#forget();
  }

  protected namespaceReplaced(): void {
    this.#forget();
  }

  /** Generations are numbered by each notifications, and for all namespaces. */
  #forget(): void {
    this.#generation = -1;
    this.#namedIn = -1;
  }

  #add(pattern: string, subscriber: Subscriber<never>, options: SubscribeOptions = {}, once: boolean): Disposer {
    refuseUnknown("", options, SUBSCRIBE);
    return this.notifications.add(this.namespace.call(pattern), subscriber, {
      ...options,
      scope: this.#scope,
      adapter: this.adapter,
      once,
    });
  }

  #assertNames(): void {
    const { generation } = this.notifications;
    // Asked with every delivery, and told anew only when subscriptions changed.
    if (this.#namedIn === generation) return;
    const { delimiter } = this.namespace;
    for (const subscription of this.notifications.within(this.namespace.call(), delimiter, this.#scope)) {
      if (subscription.named) continue;
      throw new ConfigurationError(
        `subscriber "${subscription.name}" of the bus "${this.name}" needs a \`name\` of its own: ` +
          "what outlives the process knows it by that",
      );
    }
    this.#namedIn = generation;
  }

  /** The type and id of an event that has them elsewhere (`topic`, `event_type`), as its provider finds them. */
  #readable(event: unknown): { id: string; type: string } {
    let read: ReturnType<Provider["read"]> | undefined;
    try {
      read = this.provider.read(event);
    } catch {
      // What is wrong with it, the error below says better than one about a delivery.
    }
    if (read && "id" in read && typeof read.type === "string") return { id: read.id, type: read.type };
    throw new TypeError("`event` must be an object with a `type`");
  }

  /** What can be said of an event that did not come by a delivery. */
  protected factsOf(event: unknown): DeliveryFacts {
    const { id, type } = typedEvent(event) ?? this.#readable(event);
    return {
      bus: this.name,
      provider: this.provider.name,
      id,
      type,
      key: `${this.name}:${id}`,
      verifiedBy: "nothing",
      matchedSecret: undefined,
      livemode: undefined,
      created: undefined,
      account: undefined,
    };
  }
}

function assertPattern(pattern: unknown): void {
  if (typeof pattern !== "string") throw new TypeError("`pattern` must be a string");
  if (pattern === "") throw new TypeError("`pattern` is empty: use `all` for every event");
  const objection = objectionTo(pattern);
  if (objection !== undefined) throw new TypeError(`\`pattern\` ${objection}`);
}

/** The type and id of an event that has them under these names. */
function typedEvent(event: unknown): { id: string; type: string } | undefined {
  if (typeof event !== "object" || event === null || !("type" in event) || typeof event.type !== "string")
    return undefined;
  return { id: "id" in event && typeof event.id === "string" ? event.id : "", type: event.type };
}
