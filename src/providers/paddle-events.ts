/** The events of Paddle Billing's notifications that are most subscribed to; there are more. */
export type PaddleEventType =
  | "adjustment.created"
  | "adjustment.updated"
  | "customer.created"
  | "customer.updated"
  | "payout.created"
  | "payout.paid"
  | "price.created"
  | "price.updated"
  | "product.created"
  | "product.updated"
  | "subscription.activated"
  | "subscription.canceled"
  | "subscription.created"
  | "subscription.past_due"
  | "subscription.paused"
  | "subscription.resumed"
  | "subscription.trialing"
  | "subscription.updated"
  | "transaction.billed"
  | "transaction.canceled"
  | "transaction.completed"
  | "transaction.created"
  | "transaction.paid"
  | "transaction.past_due"
  | "transaction.payment_failed"
  | "transaction.ready"
  | "transaction.updated";

/** An event of whatever type, known or not. */
export interface PaddleBaseEvent<Type extends string = string> {
  /** `evt_…` */
  readonly event_id: string;
  readonly event_type: Type;
  /** ISO 8601. */
  readonly occurred_at?: string;
  /** `ntf_…` */
  readonly notification_id?: string;
  /** The transaction, the subscription, … */
  readonly data: Readonly<Record<string, unknown>>;
}

/** The event of each known type. */
export type PaddleEventMap = { [Type in PaddleEventType]: PaddleBaseEvent<Type> };
