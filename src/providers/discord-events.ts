/** What a person did with an app. */
export interface DiscordInteraction {
  /** A snowflake. */
  readonly id: string;
  readonly application_id: string;
  readonly type: number;
  /** Answers the interaction within fifteen minutes. */
  readonly token: string;
  readonly version: number;
  readonly data?: unknown;
  readonly guild_id?: string;
  readonly channel_id?: string;
  readonly member?: unknown;
  readonly user?: unknown;
  readonly [field: string]: unknown;
}

/** What happened to an app: the event itself is `event.event`. */
export interface DiscordWebhookEvent {
  readonly version: number;
  readonly application_id: string;
  readonly type: 1;
  readonly event: {
    readonly type: string;
    /** ISO 8601. */
    readonly timestamp: string;
    readonly data?: unknown;
  };
  readonly [field: string]: unknown;
}

/** Kinds of interactions; a kind that is new comes with its number. */
export type DiscordInteractionType =
  | "interaction.application_command"
  | "interaction.message_component"
  | "interaction.application_command_autocomplete"
  | "interaction.modal_submit";

export type DiscordWebhookEventType =
  | "event.application_authorized"
  | "event.application_deauthorized"
  | "event.entitlement_create"
  | "event.entitlement_update"
  | "event.entitlement_delete"
  | "event.quest_user_enrollment";

/** The event of each known type. */
export type DiscordEventMap = { [Type in DiscordInteractionType]: DiscordInteraction } & {
  [Type in DiscordWebhookEventType]: DiscordWebhookEvent;
};

/** An event of a type that is not known (yet). */
export interface DiscordBaseEvent {
  readonly type: number;
  readonly [field: string]: unknown;
}
