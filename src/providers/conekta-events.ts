import type { EventResponse } from "conekta";

/** The event types that a webhook of Conekta's can subscribe to (conekta/openapi, `subscribed_events`). */
export const CONEKTA_EVENT_TYPES = [
  "charge.created",
  "charge.paid",
  "charge.under_fraud_review",
  "charge.fraudulent",
  "charge.refunded",
  "charge.preauthorized",
  "charge.declined",
  "charge.canceled",
  "charge.reversed",
  "charge.pending_confirmation",
  "charge.expired",
  "customer.created",
  "customer.updated",
  "customer.deleted",
  "webhook.created",
  "webhook.updated",
  "webhook.deleted",
  "charge.chargeback.created",
  "charge.chargeback.updated",
  "charge.chargeback.under_review",
  "charge.chargeback.lost",
  "charge.chargeback.won",
  "payout.created",
  "payout.retrying",
  "payout.paid_out",
  "payout.failed",
  "plan.created",
  "plan.updated",
  "plan.deleted",
  "subscription.created",
  "subscription.paused",
  "subscription.resumed",
  "subscription.canceled",
  "subscription.expired",
  "subscription.updated",
  "subscription.paid",
  "subscription.payment_failed",
  "payee.created",
  "payee.updated",
  "payee.deleted",
  "payee.payout_method.created",
  "payee.payout_method.updated",
  "payee.payout_method.deleted",
  "charge.score_updated",
  "receipt.created",
  "order.canceled",
  "order.charged_back",
  "order.created",
  "order.expired",
  "order.fraudulent",
  "order.under_fraud_review",
  "order.paid",
  "order.partially_refunded",
  "order.pending_payment",
  "order.pre_authorized",
  "order.refunded",
  "order.updated",
  "order.voided",
  "order.declined",
  "cashout.canceled",
  "cashout.confirmed",
  "webhook_ping",
  "customer.payment_source.card.blocked",
  "cash_refund.created",
  "cash_refund.canceled",
  "cash_refund.refunded",
  "cash_refund.expired",
] as const;

export type ConektaEventType = (typeof CONEKTA_EVENT_TYPES)[number];

/** A resource of Conekta's, in the shape of the API version that the webhook was made with. */
type ConektaResource = NonNullable<EventResponse["data"]>;

/** An event of a type that is not known (yet). */
export type ConektaBaseEvent = Omit<EventResponse, "id" | "type"> & { id: string; type: string };

/** An event of a known type: `data.object` is the charge, the order, the customer, … */
export type ConektaEventOf<Type extends ConektaEventType> = Omit<EventResponse, "id" | "type" | "data"> & {
  id: string;
  type: Type;
  data: { object: ConektaResource; previous_attributes?: ConektaResource };
};

/** What Conekta sends to try a webhook out; it has no `data.object`. */
export type ConektaPingEvent = Omit<EventResponse, "id" | "type" | "data"> & {
  id: string;
  type: "webhook_ping";
  data: { livemode: boolean; action: "ping" };
};

/** The event of each known type. */
export type ConektaEventMap = {
  [Type in Exclude<ConektaEventType, "webhook_ping">]: ConektaEventOf<Type>;
} & { webhook_ping: ConektaPingEvent };
