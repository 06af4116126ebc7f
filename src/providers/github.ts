import { PayloadError } from "../errors.ts";
import { defineProvider } from "./define-provider.ts";
import type { GitHubBaseEvent, GitHubEventMap } from "./github-events.ts";
import { hasShapeOf } from "./github-shapes.ts";
import type { Provider, ReadContext, WebhookRequest } from "./provider.ts";
import { parseJsonOrForm } from "./schemes/form.ts";
import { headerValue } from "./schemes/header.ts";
import { parsePayload } from "./schemes/json.ts";
import { UTF8 } from "./schemes/key-forms.ts";
import type { SignatureDescription } from "./schemes/signature.ts";

/**
 * `X-Hub-Signature`, the SHA-1 of former times, counts for nothing. There is no timestamp, and the delivery's id is not
 * signed: a captured delivery stays good for ever, and its body is what makes it a duplicate.
 *
 * @see https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
 */
const signature: SignatureDescription = {
  header: "x-hub-signature-256",
  prefix: "sha256=",
  secrets: {
    signingSecrets: {
      kinds: [{ algorithm: "hmac-sha256", encoding: "hex", key: UTF8 }],
      objection(secret) {
        if (!/^(?:gh[a-z]|github_pat)_/.test(secret)) return undefined;
        return "holds a token for GitHub's API (gh…_): the secret is the one that was typed in beside the webhook's URL";
      },
    },
  },
};

/**
 * GitHub: HMAC-SHA256 over the raw body in `X-Hub-Signature-256`. Takes JSON and form-encoded deliveries.
 *
 * Bodies hold neither an id nor a type, so that subscribers get `{ id, type, payload }`. The type is the header
 * `X-GitHub-Event` and the payload's `action`: `issues.opened`. The header is not signed: an event whose payload has not
 * the shape of that name is refused with `PayloadError`. What has no shape of its own (a new event of GitHub's) can be
 * pinned where it is mounted: `expressHandler(GitHubEvent, { types: ["push"] })`.
 */
export function github(): Provider<GitHubEventMap, GitHubBaseEvent> {
  return defineProvider({
    name: "github",
    signature,
    parse,
    event: {
      form,
      id: { unsigned: "id" },
      type: { unsigned: "type" },
      data: "payload",
    },
  });
}

const OPENING_BRACE = 0x7b;

/** A header says whether it is a form, and no signature covers it: what begins as JSON is never read as a form. */
function parse(request: WebhookRequest): unknown {
  return request.body[0] === OPENING_BRACE ? parsePayload(request.body) : parseJsonOrForm(request);
}

function form(payload: Readonly<Record<string, unknown>>, { request }: ReadContext): Readonly<Record<string, unknown>> {
  const headers = request?.headers ?? {};
  const event = headerValue(headers, "x-github-event") ?? "";
  if (!/^\w+$/.test(event)) throw new PayloadError("the header X-GitHub-Event names no event");
  if (!hasShapeOf(event, payload)) {
    throw new PayloadError(`the payload is not that of the event "${event}" which the header X-GitHub-Event names`);
  }
  return { id: headerValue(headers, "x-github-delivery"), type: event + suffix(payload["action"]), payload };
}

/** An action is a word of GitHub's, but that of `repository_dispatch` is whatever text an app sent. */
function suffix(action: unknown): string {
  return typeof action === "string" && /^[\w-]{1,100}(?:\.[\w-]{1,100})*$/.test(action) ? `.${action}` : "";
}
