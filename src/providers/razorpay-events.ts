/** The events of Razorpay's webhooks that are most subscribed to; there are more. */
export type RazorpayEventType =
  | "invoice.expired"
  | "invoice.paid"
  | "invoice.partially_paid"
  | "order.paid"
  | "payment.authorized"
  | "payment.captured"
  | "payment.dispute.created"
  | "payment.dispute.lost"
  | "payment.dispute.won"
  | "payment.failed"
  | "payment_link.cancelled"
  | "payment_link.expired"
  | "payment_link.paid"
  | "refund.created"
  | "refund.failed"
  | "refund.processed"
  | "settlement.processed"
  | "subscription.activated"
  | "subscription.authenticated"
  | "subscription.cancelled"
  | "subscription.charged"
  | "subscription.completed"
  | "subscription.halted"
  | "subscription.pending"
  | "subscription.updated";

/** An event of whatever type, known or not. */
export interface RazorpayBaseEvent<Type extends string = string> {
  readonly entity: "event";
  /** The type. */
  readonly event: Type;
  /** `acc_…` */
  readonly account_id?: string;
  /** The keys of `payload`. */
  readonly contains?: readonly string[];
  /** `{ payment: { entity: { id: "pay_…", … } } }` */
  readonly payload?: Readonly<Record<string, { readonly entity: Readonly<Record<string, unknown>> }>>;
  /** Seconds since 1970. */
  readonly created_at?: number;
}

/** The event of each known type. */
export type RazorpayEventMap = { [Type in RazorpayEventType]: RazorpayBaseEvent<Type> };
