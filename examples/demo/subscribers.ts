import { type DeliveryContext, type EventBus, type Notifications, RetryLater } from "hookbus";
import type { ConektaBaseEvent, ConektaEventMap } from "hookbus/conekta";
import type { SqliteDatabase } from "hookbus/inbox/sqlite";
import type { StripeBaseEvent, StripeEventMap } from "hookbus/stripe";

/** One call of a subscriber: its name, and the type of the event that it got. */
export interface Sighting {
  readonly subscriber: string;
  readonly type: string;
}

/** What the demo's subscribers are given. */
export interface Demo {
  /** Told of every call. */
  see(sighting: Sighting): unknown;
  /** Ends the process, where that is what the demo shows. */
  crash(): void;
}

interface TypedEvent {
  readonly type: string;
}

/** A subscriber can be any object with a `call` method; by its `name` the inbox knows who is done with an event. */
class Witness {
  readonly name: string;
  readonly #demo: Demo;

  constructor(name: string, demo: Demo) {
    this.name = name;
    this.#demo = demo;
  }

  async call(event: TypedEvent): Promise<void> {
    await this.#demo.see({ subscriber: this.name, type: event.type });
  }
}

/** Sends mail through a server that is down when it is first needed. */
class Mailer {
  readonly name = "mailer";
  readonly #demo: Demo;
  #serverIsUp = false;

  constructor(demo: Demo) {
    this.#demo = demo;
  }

  async call(event: TypedEvent): Promise<void> {
    await this.#demo.see({ subscriber: this.name, type: event.type });
    if (this.#serverIsUp) return;
    this.#serverIsUp = true;
    throw new Error("the mail server does not answer");
  }
}

/** Books every event once: its row and the inbox's mark are one transaction, so that there is both or neither. */
class Ledger {
  readonly name = "ledger";
  readonly #demo: Demo;

  constructor(demo: Demo) {
    this.#demo = demo;
  }

  async call(event: TypedEvent, context: DeliveryContext): Promise<void> {
    await this.#demo.see({ subscriber: this.name, type: event.type });
    await context.transaction((database: SqliteDatabase) => {
      // No unique key: only the inbox keeps an event from being booked twice.
      database.exec("CREATE TABLE IF NOT EXISTS ledger (event text NOT NULL)");
      database.exec(`INSERT INTO ledger VALUES ('${context.key.replaceAll("'", "''")}')`);
      if (event.type === "customer.subscription.updated") this.#demo.crash();
    });
  }
}

export function subscribeToStripe(bus: EventBus<StripeEventMap, StripeBaseEvent>, demo: Demo): void {
  bus.subscribe("charge.succeeded", new Witness("receipts", demo));
  bus.subscribe("charge.", new Witness("charges", demo));
  bus.subscribe("invoice.payment_failed", new Mailer(demo));

  let busy = true;
  const stockroom = async ({ type }: TypedEvent, { subscriber }: DeliveryContext): Promise<void> => {
    await demo.see({ subscriber, type });
    if (!busy) return;
    busy = false;
    throw new RetryLater(0.2, "the stock is being counted");
  };
  bus.subscribe("checkout.session.completed", stockroom, { name: "stock" });

  bus.all(new Ledger(demo));
  const bank = async ({ type }: TypedEvent, { subscriber }: DeliveryContext): Promise<void> => {
    await demo.see({ subscriber, type });
    demo.crash();
  };
  bus.subscribe("payout.paid", bank, { name: "bank" });
  bus.all(new Witness("log", demo));
}

export function subscribeToConekta(bus: EventBus<ConektaEventMap, ConektaBaseEvent>, demo: Demo): void {
  bus.subscribe("charge.paid", new Witness("receipts", demo));
  bus.subscribe("order.", new Witness("orders", demo));
  bus.all(new Ledger(demo));
  bus.all(new Witness("log", demo));
}

/** Hears of every event of every bus that publishes on `notifications`. */
export function subscribeAcross(notifications: Notifications, demo: Demo): void {
  notifications.subscribe("", new Witness("audit", demo));
}
