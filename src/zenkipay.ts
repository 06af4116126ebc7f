import { EventBus } from "./event-bus.ts";
import { notifications } from "./notifications.ts";
import { zenkipay } from "./providers/zenkipay.ts";
import type { ZenkipayBaseEvent, ZenkipayEventMap } from "./providers/zenkipay-events.ts";

export { type ZenkipayOptions, zenkipay } from "./providers/zenkipay.ts";
export type {
  ZenkipayBaseEvent,
  ZenkipayEventDetails,
  ZenkipayEventMap,
  ZenkipayEventType,
  ZenkipayOrder,
  ZenkipayOrderPaidEvent,
  ZenkipayOrderPayEvent,
  ZenkipayOrderStatus,
} from "./providers/zenkipay-events.ts";

/** A bus for Zenkipay, whichever. */
export type ZenkipayBus = EventBus<ZenkipayEventMap, ZenkipayBaseEvent>;

/** The ready-made bus for Zenkipay: for plain payloads. Encrypted ones need `new EventBus(zenkipay({ decryptionKey }))`. */
export const ZenkipayEvent: ZenkipayBus = new EventBus(zenkipay(), { notifications });
