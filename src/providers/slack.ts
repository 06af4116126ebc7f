import { PayloadError } from "../errors.ts";
import { defineProvider } from "./define-provider.ts";
import type { Provider, WebhookRequest } from "./provider.ts";
import { contentHash } from "./schemes/content-hash.ts";
import { parseForm } from "./schemes/form.ts";
import { isRecord, parsePayload } from "./schemes/json.ts";
import { UTF8 } from "./schemes/key-forms.ts";
import type { SignatureDescription } from "./schemes/signature.ts";
import type { SlackBaseEvent, SlackEventMap } from "./slack-events.ts";
import { handshakes, startsObject } from "./slack-handshakes.ts";

type Body = Readonly<Record<string, unknown>>;

/** @see https://docs.slack.dev/authentication/verifying-requests-from-slack */
const signature: SignatureDescription = {
  header: "x-slack-signature",
  prefix: "v0=",
  timestamp: { header: "x-slack-request-timestamp", toleranceSeconds: 300 },
  content: "v0:{timestamp}:{body}",
  secrets: {
    signingSecrets: {
      kinds: [{ algorithm: "hmac-sha256", encoding: "hex", key: UTF8 }],
      objection(secret) {
        const where = "the signing secret stands under Basic Information, App Credentials";
        if (/^x(?:ox[a-z]|app)-/.test(secret)) return `holds a token (${secret.slice(0, 4)}…): ${where}`;
        return undefined;
      },
    },
  },
};

/**
 * Slack: HMAC-SHA256 over `v0:{timestamp}:{body}` in `X-Slack-Signature`, with five minutes of tolerance either way.
 *
 * Takes the Events API (`message.channel_join`: type and subtype of the inner event), slash commands (`command.deploy`
 * for `/deploy`), and interactivity (`block_actions`, `view_submission`: the payload's type). Retries keep their
 * `event_id`, and so are duplicates, whatever `X-Slack-Retry-Num` says.
 *
 * @see https://docs.slack.dev/apis/events-api
 */
export function slack(): Provider<SlackEventMap, SlackBaseEvent> {
  return defineProvider({
    name: "slack",
    signature,
    parse,
    handshakes,
    event: {
      form(event) {
        if (event["type"] !== "event_callback" || isRecord(event["event"])) return event;
        throw new PayloadError("a Slack event_callback holds an `event`");
      },
      id: (event, context) => event["event_id"] ?? event["trigger_id"] ?? contentHash(event, context),
      key: (event, context) => event["event_id"] ?? contentHash(event, context),
      type: typeOf,
      created: "event_time",
      account: (event) => event["team_id"] ?? (isRecord(event["team"]) ? event["team"]["id"] : undefined),
      data: (event) => (event["type"] === "event_callback" ? event["event"] : event),
    },
    // An empty body: Slack shows any text that answers a slash command to its user.
    success: { status: 200, headers: {}, body: "" },
  });
}

function typeOf(event: Body): unknown {
  const { command, type, event: inner } = event;
  // Its `/` would begin a segment, and Slack lets the rest be any characters but spaces.
  if (typeof command === "string") return `command.${command.replace(/^\//, "").replaceAll(/[^\w-]/g, "_")}`;
  if (type !== "event_callback") return type ?? "";
  const { type: name, subtype } = inner as Body;
  return typeof name === "string" && typeof subtype === "string" ? `${name}.${subtype}` : (name ?? "");
}

/**
 * What the body is, is told by its first byte: the content type is not signed, and a JSON event may quote text of
 * anybody's that reads as a form.
 */
function parse({ body }: WebhookRequest): unknown {
  if (startsObject(body)) return parsePayload(body);
  const fields = parseForm(body);
  const { payload } = fields;
  return typeof payload === "string" ? parsePayload(Buffer.from(payload)) : fields;
}
