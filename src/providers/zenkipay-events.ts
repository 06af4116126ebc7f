/** The event types that Zenkipay names. */
export type ZenkipayEventType = "order.pay" | "order.paid";

/** The state of an order, from the buyer's first look to the settlement. */
export type ZenkipayOrderStatus =
  | "PENDING"
  | "READY4PAY"
  | "AWAITING_PAYMENT"
  | "AWAITING_DELIVERY"
  | "DELIVERED_SERVICE"
  | "AWAITING_SHIPMENT"
  | "SHIPPED"
  | "SHIPMENT_ERROR"
  | "AWAITING_SHOPPER_APPROVAL"
  | "DISPUTED"
  | "PENDING_SHOPPER_RETURN"
  | "REFUNDED"
  | "COMPLETED"
  | "SETTLED";

/** The order of a plain payload (zenkipay-api-sdk-php, `docs/Model/Order.md`). */
export interface ZenkipayOrder {
  /** `"v1.0.0"` */
  readonly version?: string;
  readonly zenkiOrderId: string;
  /** The merchant's own id. */
  readonly orderId?: string;
  readonly cartId?: string;
  readonly type?: string;
  readonly status?: ZenkipayOrderStatus;
  /** When Zenkipay was asked for the order: milliseconds since 1970. */
  readonly createdAt?: number;
  readonly items?: readonly Readonly<Record<string, unknown>>[];
  readonly [field: string]: unknown;
}

/** The order of an encrypted payload: what its `eventDetails` hold. */
export interface ZenkipayEventDetails {
  readonly orderId: string;
  readonly merchantOrderId?: string;
  readonly shopperCartId?: string;
  readonly transactionStatus?: string;
  readonly orderStatus?: ZenkipayOrderStatus;
  /** Milliseconds since 1970. */
  readonly placedAt?: number;
  readonly totalAmount?: number;
  readonly currency?: string;
  readonly merchantPayment?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** An event of a type that is not known (yet). */
export interface ZenkipayBaseEvent {
  /** The `svix-id` of the delivery. */
  readonly id: string;
  readonly type: string;
  readonly order: Readonly<Record<string, unknown>>;
  /** Encrypted payloads only: when it occurred, in milliseconds since 1970. */
  readonly timestamp?: number;
}

/** A buyer has paid: a plain payload. */
export interface ZenkipayOrderPayEvent extends ZenkipayBaseEvent {
  readonly type: "order.pay";
  readonly order: ZenkipayOrder;
}

/** A buyer has paid: an encrypted payload, of the older generation. */
export interface ZenkipayOrderPaidEvent extends ZenkipayBaseEvent {
  readonly type: "order.paid";
  readonly order: ZenkipayEventDetails;
}

/** The event of each known type. */
export interface ZenkipayEventMap {
  readonly "order.pay": ZenkipayOrderPayEvent;
  readonly "order.paid": ZenkipayOrderPaidEvent;
}
