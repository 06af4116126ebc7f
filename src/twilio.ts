import { EventBus } from "./event-bus.ts";
import { notifications } from "./notifications.ts";
import { twilio } from "./providers/twilio.ts";
import type { TwilioBaseEvent, TwilioEventMap } from "./providers/twilio-events.ts";

export { type TwilioOptions, twilio } from "./providers/twilio.ts";
export type {
  TwilioBaseEvent,
  TwilioCallEvent,
  TwilioCloudEvent,
  TwilioEventMap,
  TwilioEventType,
  TwilioFields,
  TwilioMessageEvent,
  TwilioRecordingEvent,
  TwilioTranscriptionEvent,
} from "./providers/twilio-events.ts";

/** A bus for Twilio, whichever. */
export type TwilioBus = EventBus<TwilioEventMap, TwilioBaseEvent>;

/** The ready-made bus for Twilio; behind a proxy, make one of `twilio({ publicUrl })` instead. */
export const TwilioEvent: TwilioBus = new EventBus(twilio(), { notifications });
