import { PayloadError } from "../errors.ts";
import { defineProvider } from "./define-provider.ts";
import type { DiscordBaseEvent, DiscordEventMap } from "./discord-events.ts";
import type { Handshakes, Provider } from "./provider.ts";
import { contentHash } from "./schemes/content-hash.ts";
import { isRecord } from "./schemes/json.ts";
import { ED25519_HEX } from "./schemes/key-forms.ts";
import type { SignatureDescription } from "./schemes/signature.ts";

type Body = Readonly<Record<string, unknown>>;

/** @see https://docs.discord.com/developers/interactions/overview#setting-up-an-endpoint */
const signature: SignatureDescription = {
  header: "x-signature-ed25519",
  // Discord names no tolerance, so the age is asked only by a bus that sets `tolerance`.
  timestamp: { header: "x-signature-timestamp", toleranceSeconds: Number.POSITIVE_INFINITY },
  content: "{timestamp}{body}",
  secrets: { signingSecrets: { kinds: [{ algorithm: "ed25519", encoding: "hex", key: ED25519_HEX }] } },
};

/** By their numbers, from 2: 1 is PING. */
const INTERACTIONS = [
  "application_command",
  "message_component",
  "application_command_autocomplete",
  "modal_submit",
] as const;

const handshakes: Handshakes = {
  afterVerification(payload) {
    if (!isRecord(payload)) return undefined;
    const { type, event } = payload;
    // The PING of interactions is 1, which among webhook events is the event.
    if (type === 1 && event === undefined)
      return { status: 200, headers: { "content-type": "application/json" }, body: '{"type":1}' };
    return type === 0 ? { status: 204, headers: {}, body: "" } : undefined;
  },
};

/**
 * Discord: Ed25519 over `{timestamp}{body}` in `X-Signature-Ed25519`, with the application's public key as
 * `signingSecrets`. The timestamp is signed but has no tolerance unless the bus sets one.
 *
 * Takes interactions (`interaction.application_command`, …) and webhook events (`event.application_authorized`, …), and
 * answers PING. An interaction that went well is answered with a deferred response (type 5), so that a subscriber can
 * follow it up with the interaction's `token`; autocompletion cannot be deferred.
 */
export function discord(): Provider<DiscordEventMap, DiscordBaseEvent> {
  return defineProvider({
    name: "discord",
    signature,
    handshakes,
    event: {
      id: (event, context) => (isWebhookEvent(event) ? contentHash(event, context) : event["id"]),
      type: typeOf,
      created: (event) => (isWebhookEvent(event) ? event["event"]["timestamp"] : createdAt(event["id"])),
      account: "guild_id",
      data: (event) => (isWebhookEvent(event) ? event["event"] : event["data"]),
    },
    success: { status: 200, headers: { "content-type": "application/json" }, body: '{"type":5}' },
  });
}

function isWebhookEvent(event: Body): event is Body & { readonly event: Body } {
  return isRecord(event["event"]);
}

function typeOf(event: Body): string {
  if (isWebhookEvent(event)) {
    const { type: name } = event.event;
    return typeof name === "string" && name !== "" ? `event.${name.toLowerCase()}` : "";
  }
  const { type } = event;
  if (!Number.isInteger(type)) throw new PayloadError("a Discord interaction has a number as its `type`");
  return `interaction.${INTERACTIONS[(type as number) - 2] ?? type}`;
}

/** The time in a snowflake, in seconds since 1970: its upper bits count milliseconds since 2015. */
function createdAt(id: unknown): number | undefined {
  if (typeof id !== "string" || !/^\d{15,20}$/.test(id)) return undefined;
  return (Number(BigInt(id) >> 22n) + 1_420_070_400_000) / 1000;
}
