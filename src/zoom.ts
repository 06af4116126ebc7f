export { zoom } from "./providers/zoom.ts";
export type { ZoomBaseEvent, ZoomEventMap, ZoomEventType } from "./providers/zoom-events.ts";
