export { resend } from "./providers/resend.ts";
export type { ResendBaseEvent, ResendEventMap, ResendEventOf, ResendEventType } from "./providers/resend-events.ts";
