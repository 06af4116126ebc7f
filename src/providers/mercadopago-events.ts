/** The types that Mercado Pago's documentation names; `action` is behind the dot where there is one. */
export type MercadoPagoEventType =
  | "delivery"
  | "delivery.updated"
  | "order.action_required"
  | "order.canceled"
  | "order.expired"
  | "order.failed"
  | "order.processed"
  | "order.refunded"
  | "payment"
  | "payment.created"
  | "payment.updated"
  | "stop_delivery_op_wh"
  | "subscription_authorized_payment.created"
  | "subscription_authorized_payment.updated"
  | "subscription_preapproval.created"
  | "subscription_preapproval.updated"
  | "subscription_preapproval_plan.created"
  | "subscription_preapproval_plan.updated"
  | "topic_card_id_wh"
  | "topic_chargebacks_wh"
  | "topic_claims_integration_wh"
  | "topic_merchant_order_wh";

/**
 * A notification of Mercado Pago. Its signature covers an id, a request id and a time, and not the body: before money
 * moves, get the resource `dataId` from the API and believe only that.
 */
export interface MercadoPagoBaseEvent {
  /** Signed: the same as `dataId`. Not unique: all notifications about one payment have it. */
  readonly id: string;
  /** Not signed: `type` of the body with its `action`, `"payment.updated"`. */
  readonly type: string;
  /** Signed: the resource that the notification is about. In lower case where it is letters and digits only. */
  readonly dataId: string;
  /** The posted body: not signed. */
  readonly unverified: MercadoPagoBody;
}

/** What is posted; nothing in it is signed. */
export interface MercadoPagoBody {
  /** The notification's own id. */
  readonly id?: number | string;
  readonly type?: string;
  readonly action?: string;
  readonly live_mode?: boolean;
  /** ISO 8601. */
  readonly date_created?: string;
  readonly user_id?: number | string;
  readonly api_version?: string;
  readonly data?: { readonly id?: string | number };
  readonly [field: string]: unknown;
}

/** The event of each type that is known. */
export type MercadoPagoEventMap = {
  [Type in MercadoPagoEventType]: MercadoPagoBaseEvent & { readonly type: Type };
};
