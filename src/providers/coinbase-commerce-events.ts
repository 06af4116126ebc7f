/** The events of Coinbase Commerce's webhooks. */
export type CoinbaseCommerceEventType =
  | "charge:confirmed"
  | "charge:created"
  | "charge:delayed"
  | "charge:failed"
  | "charge:pending"
  | "charge:resolved";

/** An event of whatever type, known or not: the `event` of the delivery. */
export interface CoinbaseCommerceBaseEvent<Type extends string = string> {
  readonly id: string;
  readonly type: Type;
  readonly resource?: "event";
  /** `"2018-03-22"` */
  readonly api_version?: string;
  /** ISO 8601. */
  readonly created_at?: string;
  /** The charge. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** The event of each known type. */
export type CoinbaseCommerceEventMap = { [Type in CoinbaseCommerceEventType]: CoinbaseCommerceBaseEvent<Type> };
