/** The event types of Polar's SDK (@polar-sh/sdk 0.49). */
export type PolarEventType =
  | "benefit.created"
  | "benefit.updated"
  | "benefit_grant.created"
  | "benefit_grant.cycled"
  | "benefit_grant.revoked"
  | "benefit_grant.updated"
  | "checkout.created"
  | "checkout.expired"
  | "checkout.updated"
  | "customer.created"
  | "customer.deleted"
  | "customer.state_changed"
  | "customer.updated"
  | "customer_seat.assigned"
  | "customer_seat.claimed"
  | "customer_seat.revoked"
  | "member.created"
  | "member.deleted"
  | "member.updated"
  | "order.created"
  | "order.paid"
  | "order.refunded"
  | "order.updated"
  | "organization.updated"
  | "product.created"
  | "product.updated"
  | "refund.created"
  | "refund.updated"
  | "subscription.active"
  | "subscription.canceled"
  | "subscription.created"
  | "subscription.past_due"
  | "subscription.paused"
  | "subscription.resumed"
  | "subscription.revoked"
  | "subscription.uncanceled"
  | "subscription.updated";

/** An event of a type that is not known (yet). */
export interface PolarBaseEvent {
  readonly type: string;
  /** ISO 8601 text. */
  readonly timestamp: string;
  /** The order, the subscription, the customer, … */
  readonly data: { readonly id?: string; readonly [field: string]: unknown };
}

/** An event of a known type. */
export type PolarEventOf<Type extends PolarEventType> = Omit<PolarBaseEvent, "type"> & { readonly type: Type };

/** The event of each known type. */
export type PolarEventMap = { [Type in PolarEventType]: PolarEventOf<Type> };
