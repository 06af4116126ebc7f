/** Events of the Events API that apps subscribe to most, with the subtypes that messages come in. */
export type SlackEventType =
  | "app_home_opened"
  | "app_mention"
  | "app_uninstalled"
  | "assistant_thread_started"
  | "channel_archive"
  | "channel_created"
  | "channel_deleted"
  | "channel_rename"
  | "channel_unarchive"
  | "emoji_changed"
  | "file_created"
  | "file_deleted"
  | "file_shared"
  | "function_executed"
  | "link_shared"
  | "member_joined_channel"
  | "member_left_channel"
  | "message"
  | "message.bot_message"
  | "message.channel_join"
  | "message.channel_leave"
  | "message.file_share"
  | "message.me_message"
  | "message.message_changed"
  | "message.message_deleted"
  | "message.thread_broadcast"
  | "message_metadata_posted"
  | "pin_added"
  | "pin_removed"
  | "reaction_added"
  | "reaction_removed"
  | "team_join"
  | "tokens_revoked"
  | "user_change"
  | "user_profile_changed"
  | "workflow_step_execute";

/** What people do with an app's blocks, shortcuts and views. */
export type SlackInteractionType =
  | "block_actions"
  | "block_suggestion"
  | "dialog_submission"
  | "interactive_message"
  | "message_action"
  | "shortcut"
  | "view_closed"
  | "view_submission";

/** What the Events API posts: the event itself is `event.event`. */
export interface SlackEventCallback {
  readonly type: "event_callback";
  /** The same in every retry. */
  readonly event_id: string;
  /** Seconds since 1970. */
  readonly event_time: number;
  readonly team_id: string;
  readonly api_app_id: string;
  readonly event: { readonly type: string; readonly subtype?: string; readonly [field: string]: unknown };
  readonly authorizations?: readonly unknown[];
  readonly [field: string]: unknown;
}

/** What interactivity posts in its field `payload`. */
export interface SlackInteraction {
  readonly type: string;
  readonly trigger_id?: string;
  readonly team?: { readonly id: string; readonly domain?: string } | null;
  readonly user?: { readonly id: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** The fields of a slash command. */
export interface SlackCommand {
  /** With its slash: `"/deploy"`. */
  readonly command: string;
  readonly text: string;
  readonly team_id: string;
  readonly channel_id: string;
  readonly user_id: string;
  readonly response_url: string;
  readonly trigger_id: string;
  readonly [field: string]: unknown;
}

/** Slack: so many events of the app were held back in a minute. */
export interface SlackRateLimited {
  readonly type: "app_rate_limited";
  readonly team_id: string;
  readonly api_app_id: string;
  /** Seconds since 1970. */
  readonly minute_rate_limited: number;
  readonly [field: string]: unknown;
}

/** The event of each type that is known here; slash commands are `command.` and the name. */
export type SlackEventMap = { [Type in SlackEventType]: SlackEventCallback } & {
  [Type in SlackInteractionType]: SlackInteraction;
} & { app_rate_limited: SlackRateLimited; [command: `command.${string}`]: SlackCommand };

/** An event of a type that is not known (yet). */
export interface SlackBaseEvent {
  readonly type?: string;
  readonly [field: string]: unknown;
}
