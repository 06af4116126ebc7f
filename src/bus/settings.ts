import { type Clock, systemClock } from "../clock.ts";
import { ConfigurationError } from "../errors.ts";
import { memoryIdempotency } from "../idempotency/memory.ts";
import type { IdempotencyStore } from "../idempotency/store.ts";
import type { Inbox } from "../inbox/inbox.ts";
import type { EventMap, Provider } from "../providers/provider.ts";
import { type NotificationAdapter, notificationAdapter } from "./adapter.ts";
import { Credentials } from "./credentials.ts";
import { assertEndpointAuth, type EndpointAuth } from "./endpoint-auth.ts";
import type { ErrorListener, EventFilter, EventRetriever } from "./extension-points.ts";
import type { Logger } from "./logger.ts";
import { Namespace } from "./namespace.ts";
import { Notifications } from "./notifications.ts";
import type { AnyEvent } from "./pattern-types.ts";
import { STEPS } from "./steps.ts";

/** 1 MiB: several times the largest event of Stripe or Conekta. */
const DEFAULT_MAX_BODY_BYTES = 1_048_576;

/** Stores and inboxes are shared, so two buses of one name would take each other's events for duplicates. */
const namesIn = new WeakMap<IdempotencyStore | Inbox, Map<string, object>>();

/** What a user can set on a bus, besides its credentials. */
export abstract class Settings<Events extends EventMap, Base> extends Credentials<Events, Base> {
  readonly clock: Clock;
  #endpointAuth: EndpointAuth | undefined;
  #eventRetriever: EventRetriever<AnyEvent<Events, Base>> | undefined;
  #eventFilter: EventFilter<AnyEvent<Events, Base>> | undefined;
  #tolerance: number;
  #idempotency: IdempotencyStore | false | undefined;
  #inbox: Inbox | undefined;
  #notifications: Notifications;
  #namespace: Namespace;
  #adapter: NotificationAdapter = notificationAdapter;
  #logger: Logger = console;
  #maxBodyBytes = DEFAULT_MAX_BODY_BYTES;
  #freezeEvents = false;
  #onError: ErrorListener | undefined;

  constructor(provider: Provider<Events, Base>, notifications: Notifications, clock: Clock) {
    super(provider);
    this.clock = clock;
    assertNotifications(notifications);
    this.#notifications = notifications;
    this.#namespace = new Namespace(provider.namespace, provider.delimiter);
    this.#tolerance = provider.toleranceSeconds;
  }

  /** HTTP basic or bearer authentication of the endpoint, in addition to everything else. */
  get endpointAuth(): EndpointAuth | undefined {
    return this.#endpointAuth;
  }
  set endpointAuth(value: EndpointAuth | undefined) {
    this.set("endpointAuth", value, (auth) => {
      assertEndpointAuth(auth);
      this.#endpointAuth = auth;
    });
  }

  /** Fetches events in your own way; see `EventRetriever`. */
  get eventRetriever(): EventRetriever<AnyEvent<Events, Base>> | undefined {
    return this.#eventRetriever;
  }
  set eventRetriever(value: EventRetriever<AnyEvent<Events, Base>> | undefined) {
    this.set("eventRetriever", value, (retriever) => {
      const { name, retrieval, secrets } = this.provider;
      if (!retrieval && Object.keys(secrets).length === 0) {
        throw new ConfigurationError(
          `\`eventRetriever\` means nothing to ${name}, which has neither secrets nor a \`retrieval\`: ` +
            "nothing tells a genuine id",
        );
      }
      this.#eventRetriever = functionOf("eventRetriever", retriever);
    });
  }

  /** Sees every verified event before its subscribers do; see `EventFilter`. */
  get eventFilter(): EventFilter<AnyEvent<Events, Base>> | undefined {
    return this.#eventFilter;
  }
  set eventFilter(value: EventFilter<AnyEvent<Events, Base>> | undefined) {
    this.set("eventFilter", value, (filter) => {
      this.#eventFilter = functionOf("eventFilter", filter);
    });
  }

  /** How many seconds a signed timestamp may lie in the past or the future; default: the provider's, 300 for most. */
  get tolerance(): number {
    return this.#tolerance;
  }
  set tolerance(value: number | undefined) {
    this.set("tolerance", value, (seconds) => {
      if (!(Number.isFinite(seconds) && seconds > 0)) {
        throw new ConfigurationError("`tolerance` must be a number of seconds above zero: it cannot be switched off");
      }
      this.#tolerance = seconds;
    });
  }

  /** Where handled events are remembered; default: in memory. `false` hands every delivery on, duplicates too. */
  get idempotency(): IdempotencyStore | false {
    // Left alone, the store takes a clock that no change of the system's time can move.
    this.#idempotency ??= memoryIdempotency(this.clock === systemClock ? {} : { now: () => this.clock.now() });
    return this.#idempotency;
  }
  set idempotency(value: IdempotencyStore | false | undefined) {
    this.set("idempotency", value, (store) => {
      if (store !== false) this.#enter("idempotency", store, ["claim", "extend", "markDone", "complete", "release"]);
      this.#idempotency = store;
    });
  }

  /**
   * Where events are recorded, durably, before they are acknowledged; workers deliver them. Default: none, and events are
   * acknowledged when their subscribers have finished. With one, `idempotency` is not asked.
   */
  get inbox(): Inbox | undefined {
    return this.#inbox;
  }
  set inbox(value: Inbox | undefined) {
    this.set("inbox", value, (inbox) => {
      this.assertNoOnce();
      this.#enter("inbox", inbox, ["record", "work", "find", "get", "replay", "ping", "close"]);
      this.#inbox = inbox;
    });
  }

  /** What events and steps are published on; set it before the first subscriber. */
  get notifications(): Notifications {
    return this.#notifications;
  }
  set notifications(value: Notifications | undefined) {
    this.set("notifications", value, (notifications) => {
      assertNotifications(notifications);
      this.assertNoSubscribers("notifications");
      this.#notifications = notifications;
      this.notificationsReplaced();
    });
  }

  /** The prefix of this bus's notifications; set it before the first subscriber. */
  get namespace(): Namespace {
    return this.#namespace;
  }
  set namespace(value: Namespace | string | undefined) {
    this.set("namespace", value, (given) => {
      if (given === "" || (typeof given !== "string" && !(given instanceof Namespace))) {
        throw new ConfigurationError("`namespace` must be a Namespace or a string that is not empty");
      }
      const namespace = typeof given === "string" ? new Namespace(given, this.provider.delimiter) : given;
      if (namespace.value === STEPS || namespace.value.startsWith(`${STEPS}.`)) {
        throw new ConfigurationError("`namespace` must not be `hookbus`: hookbus's own steps are published there");
      }
      if (namespace.delimiter !== this.provider.delimiter) {
        throw new ConfigurationError(
          `\`namespace\` must have the delimiter \`${this.provider.delimiter}\`, by which ${this.provider.name} parts its types`,
        );
      }
      this.assertNoSubscribers("namespace");
      this.#namespace = namespace;
      this.namespaceReplaced();
    });
  }

  /** How a subscriber becomes a listener; set it before the first subscriber. */
  get adapter(): NotificationAdapter {
    return this.#adapter;
  }
  set adapter(value: NotificationAdapter | undefined) {
    this.set("adapter", value, (adapter) => {
      this.assertNoSubscribers("adapter");
      this.#adapter = functionOf("adapter", adapter);
    });
  }

  /** Where refusals and failures are logged; default: `console`. */
  get logger(): Logger {
    return this.#logger;
  }
  set logger(value: Logger | undefined) {
    this.set("logger", value, (logger) => {
      for (const level of ["info", "warn", "error"] as const) functionOf(`logger.${level}`, logger?.[level]);
      this.#logger = logger;
    });
  }

  /** The largest body taken, in bytes; default 1 MiB. */
  get maxBodyBytes(): number {
    return this.#maxBodyBytes;
  }
  set maxBodyBytes(value: number | undefined) {
    this.set("maxBodyBytes", value, (bytes) => {
      if (!(Number.isSafeInteger(bytes) && bytes > 0)) {
        throw new ConfigurationError("`maxBodyBytes` must be a whole number of bytes above zero");
      }
      this.#maxBodyBytes = bytes;
    });
  }

  /** Whether events are frozen deeply before subscribers get them, who otherwise share one mutable event. */
  get freezeEvents(): boolean {
    return this.#freezeEvents;
  }
  set freezeEvents(value: boolean | undefined) {
    this.set("freezeEvents", value, (freeze) => {
      if (typeof freeze !== "boolean") throw new ConfigurationError("`freezeEvents` must be true or false");
      this.#freezeEvents = freeze;
    });
  }

  /** Told of every failure; see `ErrorListener`. */
  get onError(): ErrorListener | undefined {
    return this.#onError;
  }
  set onError(value: ErrorListener | undefined) {
    this.set("onError", value, (listener) => {
      this.#onError = functionOf("onError", listener);
    });
  }

  /** Throws when a setting was refused and never set well, or means nothing without another one. */
  protected override assertNothingRefused(): void {
    super.assertNothingRefused();
    if (!this.#eventRetriever || this.verifies || this.provider.retrieval) return;
    const { name, secrets } = this.provider;
    // Without a grammar of ids, anybody's text would reach the retriever, and its URLs.
    const ways = Object.keys(secrets).map((way) => `\`${way}\``);
    throw new ConfigurationError(
      `the bus "${this.name}" has an \`eventRetriever\` and no secret: hookbus knows no ids of ${name}'s by which to ` +
        `tell genuine deliveries, so set ${ways.join(" or ")} too`,
    );
  }

  protected abstract assertNoSubscribers(setting: string): void;
  protected abstract assertNoOnce(): void;
  protected abstract notificationsReplaced(): void;
  protected abstract namespaceReplaced(): void;

  #enter<Store extends IdempotencyStore | Inbox>(
    setting: "idempotency" | "inbox",
    store: Store,
    verbs: readonly (keyof Store & string)[],
  ): void {
    for (const verb of verbs) functionOf(`${setting}.${verb}`, store?.[verb]);
    const names = namesIn.get(store) ?? new Map<string, object>();
    const holder = names.get(this.name);
    if (holder && holder !== this) {
      const what = setting === "inbox" ? "`inbox`" : "`idempotency` store";
      throw new ConfigurationError(
        `another bus named "${this.name}" uses this ${what}: give each bus a \`name\` of its own`,
      );
    }
    namesIn.set(store, names.set(this.name, this));
  }
}

function assertNotifications(value: unknown): void {
  if (value instanceof Notifications) return;
  throw new ConfigurationError("`notifications` must be a Notifications: new Notifications(emitter)");
}

function functionOf<T>(setting: string, value: T): T {
  if (typeof value !== "function") throw new ConfigurationError(`\`${setting}\` must be a function`);
  return value;
}
