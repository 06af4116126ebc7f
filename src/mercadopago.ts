export { mercadopago } from "./providers/mercadopago.ts";
export type {
  MercadoPagoBaseEvent,
  MercadoPagoBody,
  MercadoPagoEventMap,
  MercadoPagoEventType,
} from "./providers/mercadopago-events.ts";
