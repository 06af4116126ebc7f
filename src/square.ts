export { type SquareOptions, square } from "./providers/square.ts";
export type { SquareBaseEvent, SquareEventMap, SquareEventType } from "./providers/square-events.ts";
