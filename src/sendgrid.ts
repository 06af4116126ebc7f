import { EventBus } from "./event-bus.ts";
import { notifications } from "./notifications.ts";
import { sendgrid } from "./providers/sendgrid.ts";
import type { SendGridBaseEvent, SendGridEventMap } from "./providers/sendgrid-events.ts";

export { sendgrid } from "./providers/sendgrid.ts";
export type {
  SendGridBaseEvent,
  SendGridEventBase,
  SendGridEventMap,
  SendGridEventType,
} from "./providers/sendgrid-events.ts";

/** A bus for SendGrid, whichever. */
export type SendGridBus = EventBus<SendGridEventMap, SendGridBaseEvent>;

/** The ready-made bus for SendGrid. */
export const SendGridEvent: SendGridBus = new EventBus(sendgrid(), { notifications });
