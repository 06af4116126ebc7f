/** What every event has; custom arguments stand beside these fields. */
export interface SendGridEventBase {
  readonly email: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly sg_event_id: string;
  readonly sg_message_id?: string;
  readonly "smtp-id"?: string;
  readonly category?: string | readonly string[];
  readonly asm_group_id?: number;
  readonly [field: string]: unknown;
}

interface Details {
  readonly processed: { readonly pool?: { readonly name: string; readonly id: number } };
  readonly deferred: { readonly response?: string; readonly attempt?: string };
  readonly delivered: { readonly response?: string; readonly ip?: string };
  readonly dropped: { readonly reason?: string; readonly status?: string };
  readonly bounce: {
    readonly type?: "bounce" | "blocked" | (string & {});
    readonly reason?: string;
    readonly status?: string;
    readonly bounce_classification?: string;
  };
  readonly open: { readonly useragent?: string; readonly ip?: string; readonly sg_machine_open?: boolean };
  readonly click: { readonly url?: string; readonly useragent?: string; readonly ip?: string };
  readonly spamreport: object;
  readonly unsubscribe: object;
  readonly group_unsubscribe: { readonly useragent?: string; readonly ip?: string; readonly url?: string };
  readonly group_resubscribe: { readonly useragent?: string; readonly ip?: string; readonly url?: string };
}

/** The event types of SendGrid's Event Webhook. */
export type SendGridEventType = keyof Details;

/** The event of each known type. */
export type SendGridEventMap = {
  [Type in SendGridEventType]: SendGridEventBase & { readonly event: Type } & Details[Type];
};

/** An event of a type that is not known (yet). */
export interface SendGridBaseEvent extends Partial<SendGridEventBase> {
  readonly event: string;
}
