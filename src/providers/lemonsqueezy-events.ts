/** The events of Lemon Squeezy's webhooks. */
export type LemonSqueezyEventType =
  | "affiliate_activated"
  | "license_key_created"
  | "license_key_updated"
  | "order_created"
  | "order_refunded"
  | "subscription_cancelled"
  | "subscription_created"
  | "subscription_expired"
  | "subscription_paused"
  | "subscription_payment_failed"
  | "subscription_payment_recovered"
  | "subscription_payment_refunded"
  | "subscription_payment_success"
  | "subscription_plan_changed"
  | "subscription_resumed"
  | "subscription_unpaused"
  | "subscription_updated";

/** An event of whatever type, known or not. */
export interface LemonSqueezyBaseEvent<Type extends string = string> {
  readonly meta: {
    /** The type. */
    readonly event_name: Type;
    readonly test_mode?: boolean;
    /** What the checkout was given. */
    readonly custom_data?: Readonly<Record<string, unknown>>;
    readonly webhook_id?: string;
  };
  /** A JSON:API resource: the order, the subscription, … */
  readonly data: {
    readonly type: string;
    readonly id: string;
    readonly attributes?: Readonly<Record<string, unknown>>;
  };
}

/** The event of each known type. */
export type LemonSqueezyEventMap = { [Type in LemonSqueezyEventType]: LemonSqueezyBaseEvent<Type> };
