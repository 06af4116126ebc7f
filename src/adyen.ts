export { type AdyenOptions, adyen } from "./providers/adyen.ts";
export type {
  AdyenBaseEvent,
  AdyenEventCode,
  AdyenEventMap,
  AdyenPlatformEvent,
} from "./providers/adyen-events.ts";
export type { SignsBody } from "./providers/signs-body.ts";
