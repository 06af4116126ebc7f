/** What Twilio posts of messages, calls and their recordings, by product and status. */
export type TwilioEventType =
  | "message.accepted"
  | "message.canceled"
  | "message.delivered"
  | "message.failed"
  | "message.queued"
  | "message.read"
  | "message.received"
  | "message.receiving"
  | "message.scheduled"
  | "message.sending"
  | "message.sent"
  | "message.undelivered"
  | "call.busy"
  | "call.canceled"
  | "call.completed"
  | "call.failed"
  | "call.in-progress"
  | "call.initiated"
  | "call.no-answer"
  | "call.queued"
  | "call.ringing"
  | "recording.absent"
  | "recording.completed"
  | "recording.failed"
  | "recording.in-progress"
  | "transcription.completed"
  | "transcription.failed";

/** The fields of a form, or of a query: text, or a list where one came several times. */
export interface TwilioFields {
  readonly AccountSid?: string;
  readonly ApiVersion?: string;
  readonly From?: string;
  readonly To?: string;
  readonly [field: string]: string | readonly string[] | undefined;
}

/** A message that came in, or the status of one that went out. */
export interface TwilioMessageEvent extends TwilioFields {
  readonly MessageSid: string;
  readonly MessageStatus?: string;
  readonly SmsStatus?: string;
  readonly Body?: string;
  /** How many media files came with it. */
  readonly NumMedia?: string;
  readonly ErrorCode?: string;
}

/** A call that came in or goes on, what its caller did, or the status of one that was made. */
export interface TwilioCallEvent extends TwilioFields {
  readonly CallSid: string;
  readonly CallStatus?: string;
  readonly Direction?: string;
  readonly Digits?: string;
  /** Seconds. */
  readonly CallDuration?: string;
}

export interface TwilioRecordingEvent extends TwilioFields {
  readonly RecordingSid: string;
  readonly RecordingUrl?: string;
  readonly RecordingStatus?: string;
}

export interface TwilioTranscriptionEvent extends TwilioFields {
  readonly TranscriptionSid: string;
  readonly TranscriptionText?: string;
}

/** An event of Event Streams. */
export interface TwilioCloudEvent {
  readonly specversion: string;
  readonly id: string;
  readonly source: string;
  /** `"com.twilio.messaging.message.delivered"` */
  readonly type: string;
  /** ISO 8601. */
  readonly time?: string;
  readonly data?: unknown;
  readonly [field: string]: unknown;
}

type EventOf<Type extends string> = Type extends `message.${string}`
  ? TwilioMessageEvent
  : Type extends `call.${string}`
    ? TwilioCallEvent
    : Type extends `recording.${string}`
      ? TwilioRecordingEvent
      : TwilioTranscriptionEvent;

/** The event of each known type. */
export type TwilioEventMap = { [Type in TwilioEventType]: EventOf<Type> } & {
  [type: `com.twilio.${string}`]: TwilioCloudEvent;
};

/** An event of a type that is not known (yet). */
export interface TwilioBaseEvent {
  readonly [field: string]: unknown;
}
