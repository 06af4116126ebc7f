/** The event types of Clerk's SDK (@clerk/backend 3.25, `WebhookEvent`). */
export type ClerkEventType =
  | "email.created"
  | "organization.created"
  | "organization.deleted"
  | "organization.updated"
  | "organizationDomain.created"
  | "organizationDomain.deleted"
  | "organizationDomain.updated"
  | "organizationInvitation.accepted"
  | "organizationInvitation.created"
  | "organizationInvitation.revoked"
  | "organizationMembership.created"
  | "organizationMembership.deleted"
  | "organizationMembership.updated"
  | "paymentAttempt.created"
  | "paymentAttempt.updated"
  | "permission.created"
  | "permission.deleted"
  | "permission.updated"
  | "role.created"
  | "role.deleted"
  | "role.updated"
  | "session.created"
  | "session.ended"
  | "session.removed"
  | "session.revoked"
  | "sms.created"
  | "subscription.active"
  | "subscription.created"
  | "subscription.pastDue"
  | "subscription.updated"
  | "subscriptionItem.abandoned"
  | "subscriptionItem.active"
  | "subscriptionItem.canceled"
  | "subscriptionItem.created"
  | "subscriptionItem.ended"
  | "subscriptionItem.freeTrialEnding"
  | "subscriptionItem.incomplete"
  | "subscriptionItem.pastDue"
  | "subscriptionItem.upcoming"
  | "subscriptionItem.updated"
  | "user.created"
  | "user.deleted"
  | "user.updated"
  | "waitlistEntry.created"
  | "waitlistEntry.updated";

/** An event of a type that is not known (yet). */
export interface ClerkBaseEvent {
  readonly object: "event";
  readonly type: string;
  /** The user, the session, the organization, … */
  readonly data: { readonly id?: string; readonly [field: string]: unknown };
  /** When it occurred: milliseconds since 1970, in Clerk's own examples also seconds. */
  readonly timestamp: number;
  /** `ins_…` */
  readonly instance_id: string;
  readonly event_attributes?: {
    readonly http_request: { readonly client_ip: string; readonly user_agent: string };
  };
}

/** An event of a known type. */
export type ClerkEventOf<Type extends ClerkEventType> = Omit<ClerkBaseEvent, "type"> & { readonly type: Type };

/** The event of each known type. */
export type ClerkEventMap = { [Type in ClerkEventType]: ClerkEventOf<Type> };
