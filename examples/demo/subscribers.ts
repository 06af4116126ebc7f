import { type DeliveryContext, type EventBus, type Notifications, RetryLater } from "hookbus";
import type { ConektaBaseEvent, ConektaEventMap } from "hookbus/conekta";
import type { StripeBaseEvent, StripeEventMap } from "hookbus/stripe";

/** One call of a subscriber: its name, and the type of the event that it got. */
export interface Sighting {
  readonly subscriber: string;
  readonly type: string;
}

export type See = (sighting: Sighting) => void;

interface TypedEvent {
  readonly type: string;
}

/** A subscriber can be any object with a `call` method; its `name` is what logs and errors call it. */
class Witness {
  readonly name: string;
  readonly #see: See;

  constructor(name: string, see: See) {
    this.name = name;
    this.#see = see;
  }

  call(event: TypedEvent): void {
    this.#see({ subscriber: this.name, type: event.type });
  }
}

/** Sends mail through a server that is down when it is first needed. */
class Mailer {
  readonly name = "mailer";
  readonly #see: See;
  #serverIsUp = false;

  constructor(see: See) {
    this.#see = see;
  }

  call(event: TypedEvent): void {
    this.#see({ subscriber: this.name, type: event.type });
    if (this.#serverIsUp) return;
    this.#serverIsUp = true;
    throw new Error("the mail server does not answer");
  }
}

export function subscribeToStripe(bus: EventBus<StripeEventMap, StripeBaseEvent>, see: See): void {
  bus.subscribe("charge.succeeded", new Witness("receipts", see));
  bus.subscribe("charge.", new Witness("charges", see));
  bus.subscribe("invoice.", new Witness("ledger", see));
  bus.subscribe("invoice.payment_failed", new Mailer(see));

  let busy = true;
  const stockroom = ({ type }: TypedEvent, { subscriber }: DeliveryContext): void => {
    see({ subscriber, type });
    if (!busy) return;
    busy = false;
    throw new RetryLater(30, "the stock is being counted");
  };
  bus.subscribe("checkout.session.completed", stockroom, { name: "stockroom" });
  bus.all(new Witness("log", see));
}

export function subscribeToConekta(bus: EventBus<ConektaEventMap, ConektaBaseEvent>, see: See): void {
  bus.subscribe("charge.paid", new Witness("receipts", see));
  bus.subscribe("order.", new Witness("orders", see));
  bus.all(new Witness("log", see));
}

/** Hears of every event of every bus that publishes on `notifications`. */
export function subscribeAcross(notifications: Notifications, see: See): void {
  notifications.subscribe("", new Witness("audit", see));
}
