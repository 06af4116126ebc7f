export { type HubSpotOptions, hubspot } from "./providers/hubspot.ts";
export type {
  HubSpotBaseEvent,
  HubSpotChange,
  HubSpotEventMap,
  HubSpotEventType,
  HubSpotObject,
} from "./providers/hubspot-events.ts";
export type { HubSpotVersion } from "./providers/hubspot-signature.ts";
