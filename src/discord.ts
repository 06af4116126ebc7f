export { discord } from "./providers/discord.ts";
export type {
  DiscordBaseEvent,
  DiscordEventMap,
  DiscordInteraction,
  DiscordInteractionType,
  DiscordWebhookEvent,
  DiscordWebhookEventType,
} from "./providers/discord-events.ts";
