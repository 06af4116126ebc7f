import { EventBus } from "./event-bus.ts";
import { notifications } from "./notifications.ts";
import { github } from "./providers/github.ts";
import type { GitHubBaseEvent, GitHubEventMap } from "./providers/github-events.ts";

export { github } from "./providers/github.ts";
export type { GitHubBaseEvent, GitHubEventMap, GitHubEventType } from "./providers/github-events.ts";

/** A bus for GitHub, whichever. */
export type GitHubBus = EventBus<GitHubEventMap, GitHubBaseEvent>;

/** The ready-made bus for GitHub. */
export const GitHubEvent: GitHubBus = new EventBus(github(), { notifications });
