export { type HmacOptions, hmac } from "./providers/hmac.ts";
