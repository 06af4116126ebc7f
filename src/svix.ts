export type { StandardWebhookBaseEvent } from "./providers/standard-events.ts";
export { svix } from "./providers/svix.ts";
