// Compiled, never run: what a subscriber gets for a pattern.
import type { Stripe } from "stripe";
import type { ConektaBaseEvent, ConektaEventMap, ConektaEventOf, ConektaPingEvent } from "../../src/conekta.ts";
import { ConektaEvent } from "../../src/conekta.ts";
import type { AnyEvent, DeliveryContext, EventFor, MatchingTypes, PatternOf } from "../../src/index.ts";
import type { StripeBaseEvent, StripeEventMap, StripeThinEvent } from "../../src/stripe.ts";
import { StripeEvent } from "../../src/stripe.ts";
import { assert, type Equals } from "./equals.ts";

type OfStripe<Pattern extends string> = EventFor<StripeEventMap, StripeBaseEvent, Pattern>;
type OfConekta<Pattern extends string> = EventFor<ConektaEventMap, ConektaBaseEvent, Pattern>;

// A type gives its event, and what hangs on it.
assert<Equals<OfStripe<"charge.refunded">, Stripe.ChargeRefundedEvent>>();
StripeEvent.subscribe("charge.refunded", (event, context) => {
  assert<Equals<typeof event, Stripe.ChargeRefundedEvent>>();
  assert<Equals<typeof event.type, "charge.refunded">>();
  assert<Equals<typeof event.data.object, Stripe.Charge>>();
  assert<Equals<typeof context, DeliveryContext>>();
});
StripeEvent.once("invoice.payment_failed", ({ data }) => {
  assert<Equals<typeof data.object, Stripe.Invoice>>();
});

// A group gives the union of the types below it, and nothing beside it.
StripeEvent.subscribe("charge.dispute.", (event) => {
  assert<
    Equals<
      typeof event.type,
      | "charge.dispute.closed"
      | "charge.dispute.created"
      | "charge.dispute.funds_reinstated"
      | "charge.dispute.funds_withdrawn"
      | "charge.dispute.updated"
    >
  >();
  assert<Equals<typeof event.data.object, Stripe.Dispute>>();
  if (event.type === "charge.dispute.closed") assert<Equals<typeof event, Stripe.ChargeDisputeClosedEvent>>();
});
StripeEvent.subscribe("charge.", (event) => {
  if (event.type === "charge.dispute.created") assert<Equals<typeof event.data.object, Stripe.Dispute>>();
  else if (event.type === "charge.refund.updated") assert<Equals<typeof event.data.object, Stripe.Refund>>();
  else if (event.type === "charge.captured") assert<Equals<typeof event.data.object, Stripe.Charge>>();
  // @ts-expect-error no type below "charge."
  else if (event.type === "customer.created") return;
});

// Patterns end with a segment, here as they do at run time.
assert<Equals<MatchingTypes<StripeEventMap, "charge.refund">, "charge.refund.updated">>();
assert<Equals<MatchingTypes<StripeEventMap, "charge.refund.">, "charge.refund.updated">>();
assert<Equals<MatchingTypes<StripeEventMap, "charge.refunded">, "charge.refunded">>();
assert<Equals<Extract<MatchingTypes<StripeEventMap, "customer">, `customer_${string}`>, never>>();
assert<Equals<Extract<MatchingTypes<StripeEventMap, "customer">, "customer.created">, "customer.created">>();
assert<
  Equals<
    MatchingTypes<{ "orders/create": 1; "orders/paid": 2; ordersx: 3 }, "orders/">,
    "orders/create" | "orders/paid"
  >
>();
assert<Equals<MatchingTypes<{ orders: 0; "orders/create": 1; ordersx: 3 }, "orders">, "orders" | "orders/create">>();

// A type that is not known compiles, and gives the base event.
assert<Equals<OfStripe<"charge.teleported">, StripeBaseEvent>>();
StripeEvent.subscribe("charge.teleported", (event) => {
  assert<Equals<typeof event, StripeBaseEvent>>();
  assert<Equals<typeof event.data, unknown>>();
});
assert<Equals<OfStripe<"nothing.">, StripeBaseEvent>>();

// So does a pattern that is known only at run time.
declare const configured: string;
StripeEvent.subscribe(configured, (event) => {
  assert<Equals<typeof event, StripeBaseEvent>>();
});

// Several types at once give their union.
declare const either: "charge.captured" | "charge.refunded";
StripeEvent.subscribe(either, (event) => {
  assert<Equals<typeof event, Stripe.ChargeCapturedEvent | Stripe.ChargeRefundedEvent>>();
});

// Thin events come without the SDK's methods, and with `fetchRelated`.
StripeEvent.subscribe("v1.billing.meter.error_report_triggered", async (event) => {
  assert<Equals<typeof event, StripeThinEvent<Stripe.Events.V1BillingMeterErrorReportTriggeredEventNotification>>>();
  assert<Equals<typeof event.type, "v1.billing.meter.error_report_triggered">>();
  assert<Equals<typeof event.context, string | undefined>>();
  const related = await event.fetchRelated();
  assert<Equals<typeof related.object, "billing.meter">>();
  // @ts-expect-error the SDK's own method is not there
  event.fetchRelatedObject();
});

// `all` gives the union of all; so does `once` with the empty pattern.
StripeEvent.all((event) => {
  assert<Equals<typeof event, StripeEventMap[keyof StripeEventMap]>>();
  if (event.type === "charge.refunded") assert<Equals<typeof event, Stripe.ChargeRefundedEvent>>();
});
assert<Equals<OfStripe<"">, AnyEvent<StripeEventMap, StripeBaseEvent>>>();

// Conekta: the same.
assert<Equals<OfConekta<"charge.paid">, ConektaEventOf<"charge.paid">>>();
ConektaEvent.subscribe("charge.paid", (event) => {
  assert<Equals<typeof event.type, "charge.paid">>();
  event.data.object satisfies object;
});
ConektaEvent.subscribe("charge.chargeback.", ({ type }) => {
  assert<
    Equals<
      typeof type,
      | "charge.chargeback.created"
      | "charge.chargeback.updated"
      | "charge.chargeback.under_review"
      | "charge.chargeback.lost"
      | "charge.chargeback.won"
    >
  >();
});
ConektaEvent.subscribe("webhook_ping", (event) => {
  assert<Equals<typeof event, ConektaPingEvent>>();
  assert<Equals<typeof event.data.action, "ping">>();
});
assert<Equals<MatchingTypes<ConektaEventMap, "webhook">, "webhook.created" | "webhook.updated" | "webhook.deleted">>();
ConektaEvent.subscribe("customer.card.", (event) => {
  assert<Equals<typeof event, ConektaBaseEvent>>();
});
ConektaEvent.all((event) => {
  assert<Equals<typeof event, ConektaEventMap[keyof ConektaEventMap]>>();
});

// A bus that knows no types gives its base event, whatever the pattern.
assert<Equals<EventFor<Record<never, never>, { id: string }, "charge.paid">, { id: string }>>();
assert<Equals<EventFor<Record<never, never>, { id: string }, "">, { id: string }>>();
assert<Equals<AnyEvent<Record<never, never>, { id: string }>, { id: string }>>();

// Any string is a pattern, and no other thing.
"charge.teleported" satisfies PatternOf<StripeEventMap>;
// @ts-expect-error a pattern is a string
StripeEvent.subscribe(/charge/, () => {});
// @ts-expect-error `all` takes no pattern
StripeEvent.all("charge.", () => {});
