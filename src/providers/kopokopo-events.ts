/** Topics of Kopo Kopo's webhooks. */
export type KopoKopoTopic =
  | "b2b_transaction_received"
  | "b2b_transaction_reversed"
  | "buygoods_transaction_received"
  | "buygoods_transaction_reversed"
  | "card_transaction_received"
  | "card_transaction_reversed"
  | "card_transaction_voided"
  | "customer_created"
  | "m2m_transaction_received"
  | "settlement_transfer_completed";

/** What a request of ours came to, by the `data.type` of the answer. */
export type KopoKopoResultType = "incoming_payment" | "payment" | "polling" | "settlement_transfer";

/** A webhook: `topic` is the event's type. */
export interface KopoKopoWebhookEvent<Topic extends string = string> {
  readonly topic: Topic;
  readonly id: string;
  /** ISO 8601, with an offset. */
  readonly created_at: string;
  readonly event: { readonly type: string; readonly resource: Readonly<Record<string, unknown>> | null };
  readonly _links: { readonly self: string; readonly resource?: string };
}

/** The result of something that was asked for earlier: `data.type` is the event's type. */
export interface KopoKopoResultEvent<Type extends string = string> {
  readonly data: {
    readonly id: string;
    readonly type: Type;
    /** `status` is `"Success"`, `"Failed"`, `"Processed"`, …; the rest depends on the type. */
    readonly attributes: Readonly<Record<string, unknown>> & { readonly status?: string };
  };
}

/**
 * A transaction in the form of Safaricom's Daraja, where a subscription asked for it (`enable_daraja_payload`). Its type
 * is `daraja.` and its `TransactionType`: `"daraja.pay_bill"`.
 */
export interface KopoKopoDarajaEvent {
  readonly TransactionType: string;
  readonly TransID: string;
  /** Fourteen digits in the time of Nairobi: `"20201022104319"`. */
  readonly TransTime: string;
  readonly TransAmount: string;
  readonly BusinessShortCode: string;
  readonly [field: string]: string | null;
}

/** An event of whatever type, known or not. */
export type KopoKopoBaseEvent = KopoKopoWebhookEvent | KopoKopoResultEvent | KopoKopoDarajaEvent;

/** The event of each known type. */
export type KopoKopoEventMap = {
  [Topic in KopoKopoTopic]: KopoKopoWebhookEvent<Topic>;
} & {
  [Type in KopoKopoResultType]: KopoKopoResultEvent<Type>;
} & {
  "daraja.pay_bill": KopoKopoDarajaEvent;
  "daraja.business_payment": KopoKopoDarajaEvent;
};
