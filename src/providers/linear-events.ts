/** Entities whose changes Linear sends. */
export type LinearEntity =
  | "Attachment"
  | "Comment"
  | "Customer"
  | "CustomerNeed"
  | "Cycle"
  | "Document"
  | "Initiative"
  | "InitiativeUpdate"
  | "Issue"
  | "IssueLabel"
  | "Project"
  | "ProjectUpdate"
  | "Reaction"
  | "User";

export type LinearAction = "create" | "update" | "remove";

/** An event of a type that is not known (yet). */
export interface LinearBaseEvent {
  readonly type: string;
  readonly action: string;
  /** ISO 8601: when it was done. */
  readonly createdAt?: string;
  readonly organizationId?: string;
  readonly webhookId?: string;
  /** Milliseconds since 1970: when it was sent. */
  readonly webhookTimestamp: number;
  readonly url?: string;
  readonly actor?: unknown;
  readonly data?: unknown;
  /** What an update changed, as it was before. */
  readonly updatedFrom?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** A change of an entity: `data` is the entity. */
export interface LinearEvent<Entity extends LinearEntity, Action extends LinearAction> extends LinearBaseEvent {
  readonly type: Entity;
  readonly action: Action;
  readonly data: { readonly id: string; readonly [field: string]: unknown };
}

type ChangeEvents = {
  [Type in `${LinearEntity}.${LinearAction}`]: Type extends `${infer Entity extends LinearEntity}.${infer Action extends LinearAction}`
    ? LinearEvent<Entity, Action>
    : never;
};

/** Events that are no change of an entity. */
export type LinearOtherType =
  | "AgentSessionEvent.created"
  | "AgentSessionEvent.prompted"
  | "IssueSLA.set"
  | "IssueSLA.highRisk"
  | "IssueSLA.breached"
  | "OAuthApp.revoked"
  | "PermissionChange.teamAccessChanged";

/** The event of each known type. */
export type LinearEventMap = ChangeEvents & { [Type in LinearOtherType]: LinearBaseEvent };
