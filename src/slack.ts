import { EventBus } from "./event-bus.ts";
import { notifications } from "./notifications.ts";
import { slack } from "./providers/slack.ts";
import type { SlackBaseEvent, SlackEventMap } from "./providers/slack-events.ts";

export { slack } from "./providers/slack.ts";
export type {
  SlackBaseEvent,
  SlackCommand,
  SlackEventCallback,
  SlackEventMap,
  SlackEventType,
  SlackInteraction,
  SlackInteractionType,
  SlackRateLimited,
} from "./providers/slack-events.ts";

/** A bus for Slack, whichever. */
export type SlackBus = EventBus<SlackEventMap, SlackBaseEvent>;

/** The ready-made bus for Slack. */
export const SlackEvent: SlackBus = new EventBus(slack(), { notifications });
