/** The event codes that Adyen's documentation lists for payments. */
export type AdyenEventCode =
  | "AUTHORISATION"
  | "AUTHORISATION_ADJUSTMENT"
  | "AUTORESCUE"
  | "CANCELLATION"
  | "CANCEL_AUTORESCUE"
  | "CANCEL_OR_REFUND"
  | "CAPTURE"
  | "CAPTURE_FAILED"
  | "CHARGEBACK"
  | "CHARGEBACK_REVERSED"
  | "DONATION"
  | "EXPIRE"
  | "HANDLED_EXTERNALLY"
  | "ISSUER_COMMENTS"
  | "ISSUER_RESPONSE_TIMEFRAME_EXPIRED"
  | "MANUAL_REVIEW_ACCEPT"
  | "MANUAL_REVIEW_REJECT"
  | "NOTIFICATION_OF_CHARGEBACK"
  | "NOTIFICATION_OF_FRAUD"
  | "OFFER_CLOSED"
  | "ORDER_CLOSED"
  | "ORDER_OPENED"
  | "PAIDOUT_REVERSED"
  | "PAYOUT_DECLINE"
  | "PAYOUT_EXPIRE"
  | "PAYOUT_THIRDPARTY"
  | "PENDING"
  | "POSTPONED_REFUND"
  | "PREARBITRATION_LOST"
  | "PREARBITRATION_WON"
  | "RECURRING_CONTRACT"
  | "REFUND"
  | "REFUNDED_REVERSED"
  | "REFUND_FAILED"
  | "REFUND_WITH_DATA"
  | "REPORT_AVAILABLE"
  | "REQUEST_FOR_INFORMATION"
  | "SECOND_CHARGEBACK"
  | "TECHNICAL_CANCEL"
  | "VOID_PENDING_REFUND";

/**
 * One item of a payments webhook.
 *
 * Adyen signs eight of its fields, marked "signed" here. Nothing else of it is: neither `live` nor `reason`, not the
 * payment method, not the dates, and nothing in `additionalData`.
 */
export interface AdyenBaseEvent {
  /** Signed. */
  readonly eventCode: string;
  /** Signed. */
  readonly pspReference: string;
  /** Signed. The payment that a modification is about. */
  readonly originalReference?: string;
  /** Signed. */
  readonly merchantAccountCode: string;
  /** Signed. */
  readonly merchantReference?: string;
  /** Signed, both its fields. `value` is in minor units. */
  readonly amount?: { readonly value: number; readonly currency: string };
  /** Signed. `"true"` or `"false"`, as text. */
  readonly success: string;
  /** Not signed. `"true"` or `"false"`: that of the delivery, put into each of its items. */
  readonly live?: string;
  /** Not signed. ISO 8601. */
  readonly eventDate?: string;
  /** Not signed. */
  readonly paymentMethod?: string;
  /** Not signed. */
  readonly reason?: string;
  /** Not signed. */
  readonly operations?: readonly string[];
  /** Not signed. */
  readonly additionalData?: Readonly<Record<string, unknown>>;
}

/** The event of each code that is known. */
export type AdyenEventMap = {
  [Code in AdyenEventCode]: AdyenBaseEvent & { readonly eventCode: Code };
};

/** An event of Adyen for Platforms: everything in it is signed. */
export interface AdyenPlatformEvent {
  /** `"balancePlatform.transfer.created"` */
  readonly type: string;
  /** `"live"` or `"test"` */
  readonly environment?: string;
  /** ISO 8601. */
  readonly timestamp?: string;
  readonly data: Readonly<Record<string, unknown>>;
}
