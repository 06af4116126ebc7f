export { braintree } from "./providers/braintree.ts";
export type { BraintreeBaseEvent, BraintreeEventMap, BraintreeKind } from "./providers/braintree-events.ts";
export type { SignsBody } from "./providers/signs-body.ts";
