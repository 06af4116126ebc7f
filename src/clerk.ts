export { clerk } from "./providers/clerk.ts";
export type { ClerkBaseEvent, ClerkEventMap, ClerkEventOf, ClerkEventType } from "./providers/clerk-events.ts";
