export { type PayPalOptions, paypal } from "./providers/paypal.ts";
export type { CertificateFetch, CertificateOptions } from "./providers/paypal-certificates.ts";
export type { PayPalBaseEvent, PayPalEventMap, PayPalEventType } from "./providers/paypal-events.ts";
