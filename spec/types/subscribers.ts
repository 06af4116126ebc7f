// Compiled, never run: what can subscribe, and what cannot.
import type { Stripe } from "stripe";
import { ConektaEvent } from "../../src/conekta.ts";
import {
  type DeliveryContext,
  type Disposer,
  notifications,
  type PublishedEvent,
  type Step,
  type SubscriberFunction,
  type SubscriberObject,
} from "../../src/index.ts";
import { StripeEvent } from "../../src/stripe.ts";
import { assert, type Equals } from "./equals.ts";

// An object literal knows its event and its context.
StripeEvent.subscribe("charge.refunded", {
  name: "refunds",
  call(event, context) {
    assert<Equals<typeof event, Stripe.ChargeRefundedEvent>>();
    assert<Equals<typeof context, DeliveryContext>>();
  },
});
ConektaEvent.all({
  call(event) {
    event.type satisfies string;
  },
});
ConektaEvent.once("charge.paid", {
  async call({ data }) {
    data.object satisfies object;
  },
});

// Instances of a class, with as little of the event as they need.
class BillingEventLogger {
  call(event: { readonly type: string; readonly id: string }): void {
    void event;
  }
}
class RefundMailer implements SubscriberObject<Stripe.ChargeRefundedEvent> {
  readonly name = "refund-mailer";
  async call(event: Stripe.ChargeRefundedEvent, { signal }: DeliveryContext): Promise<void> {
    void [event, signal];
  }
}
StripeEvent.all(new BillingEventLogger());
StripeEvent.subscribe("charge.", new BillingEventLogger());
StripeEvent.subscribe("charge.refunded", new RefundMailer());
ConektaEvent.all(new BillingEventLogger());
notifications.subscribe("stripe_event.", new BillingEventLogger());

// Functions made elsewhere.
declare const refund: SubscriberFunction<Stripe.ChargeRefundedEvent>;
declare const audit: (event: { readonly id: string }) => Promise<number>;
StripeEvent.subscribe("charge.refunded", refund, { name: "refund", timeoutMs: 5_000 });
StripeEvent.subscribe("charge.", audit);
StripeEvent.all(audit);
StripeEvent.unsubscribe(audit);
StripeEvent.unsubscribe(new RefundMailer());

// @ts-expect-error a subscriber of another event
StripeEvent.subscribe("charge.captured", refund);
// @ts-expect-error a subscriber of one event of many
StripeEvent.subscribe("charge.", refund);
// @ts-expect-error a subscriber of one event of all
StripeEvent.all(refund);
// @ts-expect-error a subscriber of something that is no event
StripeEvent.subscribe("charge.refunded", (amount: number) => amount);
// @ts-expect-error the same, of an event that is not known
StripeEvent.subscribe("charge.teleported", (amount: number) => amount);
// @ts-expect-error an object without `call`
StripeEvent.subscribe("charge.refunded", { handle() {} });
// @ts-expect-error an object whose `call` takes something else
StripeEvent.subscribe("charge.refunded", { call(_amount: number) {} });
// @ts-expect-error the class and not an instance of it
StripeEvent.subscribe("charge.refunded", RefundMailer);
// @ts-expect-error nothing at all
StripeEvent.subscribe("charge.refunded");
// @ts-expect-error an event has no such field
StripeEvent.subscribe("charge.refunded", (event) => event.payload);
// @ts-expect-error options are known by name
StripeEvent.subscribe("charge.refunded", refund, { timeout: 5 });

// What comes back undoes the subscription, by call or by `using`.
const disposer = StripeEvent.all(() => {});
assert<Equals<typeof disposer, Disposer>>();
disposer satisfies Disposable;
disposer satisfies () => void;
export function scoped(): void {
  using _subscription = StripeEvent.subscribe("charge.refunded", refund);
}

// Steps are known to those who name them, events are not.
notifications.subscribe("hookbus.receive", (step) => {
  assert<Equals<typeof step, Step>>();
});
notifications.subscribe("stripe_event.charge.", (event, context) => {
  assert<Equals<typeof event, PublishedEvent>>();
  assert<Equals<typeof context, DeliveryContext>>();
});
notifications.subscribe(
  "stripe_event.charge.",
  (event: { id: string; type: string; livemode: boolean }) => event.livemode,
);
