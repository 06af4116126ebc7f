/** Events that apps subscribe to most. */
export type ZoomEventType =
  | "app_deauthorized"
  | "meeting.created"
  | "meeting.updated"
  | "meeting.deleted"
  | "meeting.started"
  | "meeting.ended"
  | "meeting.participant_joined"
  | "meeting.participant_left"
  | "meeting.participant_waiting_for_host"
  | "meeting.registration_created"
  | "meeting.sharing_started"
  | "meeting.sharing_ended"
  | "meeting.summary_completed"
  | "recording.started"
  | "recording.stopped"
  | "recording.completed"
  | "recording.deleted"
  | "recording.transcript_completed"
  | "user.created"
  | "user.updated"
  | "user.deactivated"
  | "user.deleted"
  | "webinar.created"
  | "webinar.updated"
  | "webinar.deleted"
  | "webinar.started"
  | "webinar.ended"
  | "webinar.participant_joined"
  | "webinar.participant_left"
  | "webinar.registration_created";

/** An event of a type that is not known (yet). */
export interface ZoomBaseEvent {
  readonly event: string;
  /** Milliseconds since 1970. */
  readonly event_ts?: number;
  readonly payload?: {
    readonly account_id?: string;
    readonly object?: Readonly<Record<string, unknown>>;
    readonly [field: string]: unknown;
  };
  /** Short-lived, with `recording.completed` and a few others. */
  readonly download_token?: string;
}

/** The event of each known type. */
export type ZoomEventMap = { [Type in ZoomEventType]: ZoomBaseEvent & { readonly event: Type } };
