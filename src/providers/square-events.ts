/** Events that apps subscribe to most. */
export type SquareEventType =
  | "booking.created"
  | "booking.updated"
  | "card.created"
  | "card.updated"
  | "catalog.version.updated"
  | "customer.created"
  | "customer.deleted"
  | "customer.updated"
  | "dispute.created"
  | "dispute.evidence.created"
  | "dispute.state.updated"
  | "gift_card.created"
  | "gift_card.updated"
  | "inventory.count.updated"
  | "invoice.canceled"
  | "invoice.created"
  | "invoice.payment_made"
  | "invoice.published"
  | "invoice.refunded"
  | "invoice.scheduled_charge_failed"
  | "invoice.updated"
  | "location.created"
  | "location.updated"
  | "loyalty.account.created"
  | "loyalty.account.updated"
  | "oauth.authorization.revoked"
  | "order.created"
  | "order.fulfillment.updated"
  | "order.updated"
  | "payment.created"
  | "payment.updated"
  | "payout.failed"
  | "payout.paid"
  | "payout.sent"
  | "refund.created"
  | "refund.updated"
  | "subscription.created"
  | "subscription.updated"
  | "terminal.checkout.created"
  | "terminal.checkout.updated";

/** An event of a type that is not known (yet). */
export interface SquareBaseEvent {
  readonly event_id: string;
  readonly type: string;
  readonly merchant_id?: string;
  readonly location_id?: string;
  /** ISO 8601. */
  readonly created_at?: string;
  readonly data?: {
    readonly type?: string;
    readonly id?: string;
    readonly deleted?: boolean;
    /** The resource under its own name: `{ payment: … }`. */
    readonly object?: Readonly<Record<string, unknown>>;
  };
}

/** The event of each known type. */
export type SquareEventMap = { [Type in SquareEventType]: SquareBaseEvent & { readonly type: Type } };
