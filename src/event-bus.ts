import { Bus, type BusOptions } from "./bus/bus.ts";
import type { DeliveryFacts } from "./bus/context.ts";
import type { AnyEvent } from "./bus/pattern-types.ts";
import type { Disposer } from "./bus/subscriber.ts";
import { DispatchError } from "./errors.ts";
import type { Delivered, InboxBus, Run } from "./inbox/inbox.ts";
import type { LeasedRecord } from "./inbox/record.ts";
import { logSteps } from "./monitoring/logging.ts";
import type { EventMap, Provider } from "./providers/provider.ts";
import { Deliverer } from "./receiver/deliverer.ts";
import { factsOf } from "./receiver/facts.ts";
import { filtered } from "./receiver/filter.ts";
import type { HubBus } from "./receiver/hub.ts";
import { readerOf } from "./receiver/reader.ts";
import type { Receipt } from "./receiver/receipt.ts";
import { Receiver, type ReceiverOptions } from "./receiver/receiver.ts";
import type { BodyReader, Mount, RequestHead, WebhookRequest } from "./receiver/request.ts";
import { allExpired } from "./receiver/verify.ts";

export interface EventBusOptions extends BusOptions, ReceiverOptions {}

/** An event bus for one provider's webhooks: the bus that subscribers know, with the receiver that feeds it. */
export class EventBus<Events extends EventMap = EventMap, Base = unknown>
  extends Bus<Events, Base>
  implements HubBus, InboxBus
{
  readonly #receiver: Receiver;
  readonly #deliverer: Deliverer;
  #logging: Disposer;

  constructor(provider: Provider<Events, Base>, options: EventBusOptions = {}) {
    super(provider, options);
    this.#receiver = new Receiver(this as unknown as Bus, options);
    this.#deliverer = new Deliverer(this as unknown as Bus, this.#receiver.retriever);
    this.#logging = this.#log();
    // A misspelt setting must not be a silent one: without this, `bus.signingSecret = …` is a property that nobody reads.
    if (new.target === EventBus) Object.preventExtensions(this);
  }

  /** Takes one delivery, from verification to its subscribers, and says how to answer it. Rejects for no delivery. */
  receive(request: WebhookRequest): Promise<Receipt> {
    if (typeof request !== "object" || request === null) {
      return Promise.reject(new TypeError("`request` must be a WebhookRequest"));
    }
    return this.#receiver.respond(request, readerOf(request.body));
  }

  /** As `receive`, for a body that is still on the socket; handlers use it. */
  respond(head: RequestHead, readBody: BodyReader, mount?: Mount): Promise<Receipt> {
    return this.#receiver.respond(head, readBody, mount);
  }

  /** Opens the inbox, if there is one: handlers call it just after boot. Rejects where it cannot be opened. */
  async open(): Promise<void> {
    await this.inbox?.ping();
  }

  /** Whether a delivery could be taken now: the settings make sense, and the inbox or the idempotency store answers. */
  async isUp(): Promise<boolean> {
    try {
      this.assertReady();
      if (allExpired(this.keys, this.clock.now())) return false;
      if (this.inbox) await this.inbox.ping();
      else if (this.idempotency !== false) await this.idempotency.ping?.();
      return true;
    } catch {
      return false;
    }
  }

  /** For inboxes: delivers what one has recorded. Its workers call it, and nobody else needs to. Never rejects. */
  deliver(record: LeasedRecord, run: Run): Promise<Delivered> {
    return this.#deliverer.deliver(record, run);
  }

  /** For inboxes: tells the operator what keeps a worker from its work. */
  troubled(error: unknown): void {
    this.#deliverer.troubled(error);
  }

  /**
   * A trusted call: retrieves the event that `params` speaks of, where this bus retrieves at all, and publishes it.
   * Resolves to the event, or to null when the retriever or the filter ignored it.
   */
  async instrument(params: Readonly<Record<string, unknown>>): Promise<AnyEvent<Events, Base> | null> {
    if (typeof params !== "object" || params === null) throw new TypeError("`params` must be an object");
    const bus = this as unknown as Bus;
    let event: unknown = params;
    let facts: DeliveryFacts;
    if (this.retrieves) {
      const envelope = await this.#receiver.retriever.retrieve({ params, verifiedBy: "nothing", request: undefined });
      if (!envelope) return null;
      event = envelope.event;
      facts = factsOf(bus, envelope, "nothing");
    } else facts = this.factsOf(params);
    const passed = await filtered(bus, event, facts);
    if (!passed) return null;
    const { failures } = await this.dispatch(passed.event, passed.facts);
    if (failures.length > 0) throw new DispatchError(passed.facts.type, failures);
    return passed.event as AnyEvent<Events, Base>;
  }

  protected override notificationsReplaced(): void {
    super.notificationsReplaced();
    this.#logging();
    this.#logging = this.#log();
  }

  #log(): Disposer {
    const write = logSteps(
      () => this.logger,
      () => this.clock.now(),
    );
    return this.notifications.log((step) => {
      // Buses may share their notifications: each logs its own steps.
      if (step.bus === this.name) write(step);
    });
  }
}
