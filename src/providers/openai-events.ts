/** The event types of OpenAI's SDK (openai-node 6.49, `UnwrapWebhookEvent`). */
export type OpenAIEventType =
  | "batch.cancelled"
  | "batch.completed"
  | "batch.expired"
  | "batch.failed"
  | "eval.run.canceled"
  | "eval.run.failed"
  | "eval.run.succeeded"
  | "fine_tuning.job.cancelled"
  | "fine_tuning.job.failed"
  | "fine_tuning.job.succeeded"
  | "realtime.call.incoming"
  | "response.cancelled"
  | "response.completed"
  | "response.failed"
  | "response.incomplete";

/** An event of a type that is not known (yet). */
export interface OpenAIBaseEvent {
  /** `evt_…`; the delivery has an id of its own. */
  readonly id: string;
  readonly object?: "event";
  readonly type: string;
  /** Seconds since 1970. */
  readonly created_at: number;
  /** The id of what the event is about, and little else: the rest is to be fetched. */
  readonly data: { readonly id: string; readonly [field: string]: unknown };
}

/** An event of a known type. */
export type OpenAIEventOf<Type extends OpenAIEventType> = Omit<OpenAIBaseEvent, "type"> & { readonly type: Type };

/** The event of each known type. */
export type OpenAIEventMap = { [Type in OpenAIEventType]: OpenAIEventOf<Type> };
