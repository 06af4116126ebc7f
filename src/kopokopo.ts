import { EventBus } from "./event-bus.ts";
import { notifications } from "./notifications.ts";
import { kopokopo } from "./providers/kopokopo.ts";
import type { KopoKopoBaseEvent, KopoKopoEventMap } from "./providers/kopokopo-events.ts";

export { type KopoKopoOptions, kopokopo } from "./providers/kopokopo.ts";
export type {
  KopoKopoBaseEvent,
  KopoKopoDarajaEvent,
  KopoKopoEventMap,
  KopoKopoResultEvent,
  KopoKopoResultType,
  KopoKopoTopic,
  KopoKopoWebhookEvent,
} from "./providers/kopokopo-events.ts";

/** A bus for Kopo Kopo, whichever. */
export type KopoKopoBus = EventBus<KopoKopoEventMap, KopoKopoBaseEvent>;

/** The ready-made bus for Kopo Kopo. */
export const KopoKopoEvent: KopoKopoBus = new EventBus(kopokopo(), { notifications });
