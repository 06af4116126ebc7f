/** The kinds that Braintree's libraries know (`WebhookNotification.Kind`). */
export type BraintreeKind =
  | "account_updater_daily_report"
  | "check"
  | "connected_merchant_paypal_status_changed"
  | "connected_merchant_status_transitioned"
  | "disbursement"
  | "dispute_accepted"
  | "dispute_auto_accepted"
  | "dispute_disputed"
  | "dispute_expired"
  | "dispute_lost"
  | "dispute_opened"
  | "dispute_under_review"
  | "dispute_won"
  | "granted_payment_method_revoked"
  | "grantor_updated_granted_payment_method"
  | "local_payment_completed"
  | "local_payment_expired"
  | "local_payment_funded"
  | "local_payment_reversed"
  | "oauth_access_revoked"
  | "partner_merchant_connected"
  | "partner_merchant_declined"
  | "partner_merchant_disconnected"
  | "payment_method_customer_data_updated"
  | "payment_method_revoked_by_customer"
  | "recipient_updated_granted_payment_method"
  | "refund_failed"
  | "subscription_billing_skipped"
  | "subscription_canceled"
  | "subscription_charged_successfully"
  | "subscription_charged_unsuccessfully"
  | "subscription_expired"
  | "subscription_trial_ended"
  | "subscription_went_active"
  | "subscription_went_past_due"
  | "transaction_disbursed"
  | "transaction_retried"
  | "transaction_reviewed"
  | "transaction_settled"
  | "transaction_settlement_declined";

/** A notification of Braintree; what it is about stands in `xml`. */
export interface BraintreeBaseEvent {
  /** Braintree gives none: the SHA-256 of the XML, in hex. */
  readonly id: string;
  /** The `kind`: `"subscription_went_past_due"`. */
  readonly type: string;
  /** ISO 8601. */
  readonly timestamp?: string;
  /** The merchant it happened at, where that is another than the endpoint's. */
  readonly sourceMerchantId?: string;
  /** The whole notification, for the braintree library or an XML parser. */
  readonly xml: string;
}

/** The event of each kind that is known. */
export type BraintreeEventMap = { [Kind in BraintreeKind]: BraintreeBaseEvent & { readonly type: Kind } };
