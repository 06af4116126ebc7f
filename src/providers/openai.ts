import type { OpenAIBaseEvent, OpenAIEventMap } from "./openai-events.ts";
import type { Provider } from "./provider.ts";
import { type KeyForm, UTF8, WHSEC } from "./schemes/key-forms.ts";
import { defineStandardProvider } from "./standard.ts";

/** `whsec_` and base64, as in the standard; anything else is text, where the standard would take bare base64. */
const secret: KeyForm = {
  shape: "whsec_… (base64), or text, as it stands",
  verifying: (text) => formOf(text).verifying(text),
  objection: (text) => formOf(text).objection?.(text),
};

function formOf(text: string): KeyForm {
  return text.startsWith("whsec_") ? WHSEC : UTF8;
}

/**
 * OpenAI: Standard Webhooks. The event's id is the signed `webhook-id` (`wh_…`), which stays the same when a delivery
 * is tried again; the body's own (`evt_…`) is in `event.id`.
 *
 * @see https://platform.openai.com/docs/guides/webhooks
 */
export function openai(): Provider<OpenAIEventMap, OpenAIBaseEvent> {
  return defineStandardProvider({
    name: "openai",
    families: ["webhook"],
    secret,
    objection: (text) =>
      text.startsWith("sk-")
        ? "holds an API key (sk-…): the signing secret begins with whsec_ and is shown once, when the endpoint is made"
        : undefined,
    event: { created: "created_at", data: "data" },
  });
}
