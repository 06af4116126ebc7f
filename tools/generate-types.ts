import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The repository. */
const ROOT = join(import.meta.dirname, "..");

const COMMAND = "npm run generate";

/** The event types of a list in `fixtures/event-types`: `"github"` is `github.txt`, one type a line. */
export function eventTypes(list: string): readonly string[] {
  const types = readFileSync(join(ROOT, "fixtures", "event-types", `${list}.txt`), "utf8").split("\n");
  return types.map((type) => type.trim()).filter((type) => type !== "");
}

/** The files of types that are made of a list of event types: their text by their path in the repository. */
export function generatedTypes(): ReadonlyMap<string, string> {
  return new Map([
    ["src/providers/conekta-event-types.ts", conektaTypes()],
    ["src/providers/github-events.ts", githubEvents()],
  ]);
}

function conektaTypes(): string {
  const types = eventTypes("conekta").map((type) => `  ${JSON.stringify(type)},\n`);
  return `${header("conekta")}
/** The event types that a webhook of Conekta's can subscribe to (conekta/openapi, \`subscribed_events\`). */
export const CONEKTA_EVENT_TYPES = [\n${types.join("")}] as const;

export type ConektaEventType = (typeof CONEKTA_EVENT_TYPES)[number];
`;
}

function githubEvents(): string {
  return `${header("github")}
/** The events of GitHub's webhooks, bare and with each action that they have: \`"issues"\`, \`"issues.opened"\`. */
${union("GitHubEventType", eventTypes("github"))}

/** An event of whatever type, known or not. */
export interface GitHubBaseEvent {
  /** The header \`X-GitHub-Delivery\`, which is not signed. */
  readonly id: string;
  /** The header \`X-GitHub-Event\`, which is not signed, with \`.\` and the payload's \`action\` where it has one. */
  readonly type: string;
  /** The body as GitHub sent it. */
  readonly payload: Record<string, unknown>;
}

/** The event of each known type. */
export type GitHubEventMap = {
  [Type in GitHubEventType]: GitHubBaseEvent & { readonly type: Type };
};
`;
}

function header(list: string): string {
  return `// Generated from fixtures/event-types/${list}.txt by \`${COMMAND}\`. Change the list, not this file.\n`;
}

function union(name: string, types: readonly string[]): string {
  return `export type ${name} =\n${types.map((type) => `  | ${JSON.stringify(type)}`).join("\n")};`;
}
