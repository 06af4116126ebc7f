export { openai } from "./providers/openai.ts";
export type { OpenAIBaseEvent, OpenAIEventMap, OpenAIEventOf, OpenAIEventType } from "./providers/openai-events.ts";
