export { polar } from "./providers/polar.ts";
export type { PolarBaseEvent, PolarEventMap, PolarEventOf, PolarEventType } from "./providers/polar-events.ts";
