export { linear } from "./providers/linear.ts";
export type {
  LinearAction,
  LinearBaseEvent,
  LinearEntity,
  LinearEvent,
  LinearEventMap,
  LinearOtherType,
} from "./providers/linear-events.ts";
