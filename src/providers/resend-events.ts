/** The event types of Resend's SDK (resend-node 6.38, `WebhookEventPayload`). */
export type ResendEventType =
  | "contact.created"
  | "contact.deleted"
  | "contact.topics.updated"
  | "contact.updated"
  | "domain.created"
  | "domain.deleted"
  | "domain.updated"
  | "email.bounced"
  | "email.clicked"
  | "email.complained"
  | "email.delivered"
  | "email.delivery_delayed"
  | "email.failed"
  | "email.opened"
  | "email.received"
  | "email.scheduled"
  | "email.sent"
  | "email.suppressed"
  | "inbox.created"
  | "inbox.deleted"
  | "inbox.draft.created"
  | "inbox.draft.deleted"
  | "inbox.draft.sent"
  | "inbox.draft.updated"
  | "inbox.email.received"
  | "inbox.email.sent"
  | "inbox.thread.assigned"
  | "inbox.thread.created"
  | "inbox.thread.folder.updated"
  | "inbox.thread.labels.updated"
  | "inbox.thread.unassigned"
  | "inbox.updated"
  | "suppression.added"
  | "suppression.removed"
  | "topic.created"
  | "topic.deleted"
  | "topic.updated";

/** An event of a type that is not known (yet). */
export interface ResendBaseEvent {
  readonly type: string;
  /** ISO 8601 text. */
  readonly created_at: string;
  /** The email, the contact, the domain, …: `email_id`, `to`, `subject` of an email. */
  readonly data: { readonly [field: string]: unknown };
}

/** An event of a known type. */
export type ResendEventOf<Type extends ResendEventType> = Omit<ResendBaseEvent, "type"> & { readonly type: Type };

/** The event of each known type. */
export type ResendEventMap = { [Type in ResendEventType]: ResendEventOf<Type> };
