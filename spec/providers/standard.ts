import { systemClock } from "../../src/clock.ts";
import { EventBus } from "../../src/event-bus.ts";
import type {
  EventMap,
  Provider,
  SigningKey,
  SignOptions,
  Verification,
  WebhookRequest,
} from "../../src/providers/provider.ts";
import { Log } from "../support/bus.ts";

/** The key of the standard's own examples. */
export const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
export const PUBLIC_KEY = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
export const PRIVATE_KEY =
  "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";

/** The clock of these specs, in milliseconds. */
export const NOW = 1_700_000_000_000;

type AnyProvider = Provider<EventMap, unknown>;

/** A key as `configure` makes it. */
function keyOf(provider: AnyProvider, secret: string): SigningKey {
  const form = provider.secrets.signingSecrets;
  if (!form) throw new Error(`${provider.name} takes no signing secrets`);
  return { label: secret.slice(0, 8), scheme: form.schemeOf?.(secret) ?? form.scheme, key: form.parse(secret) };
}

export function requestOf(body: unknown, headers: WebhookRequest["headers"]): WebhookRequest {
  const bytes = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  return { method: "POST", url: "/", headers, body: bytes };
}

/** A genuine delivery. */
export function delivery(
  provider: AnyProvider,
  body: unknown,
  options: Partial<SignOptions> & { readonly headers?: Record<string, string> } = {},
): WebhookRequest {
  const { headers, ...rest } = options;
  const { body: bytes } = requestOf(body, {});
  return requestOf(body, { ...provider.sign(bytes, { secret: SECRET, now: NOW, id: "msg_1", ...rest }), ...headers });
}

export function verify(
  provider: AnyProvider,
  request: WebhookRequest,
  secrets: readonly string[] = [SECRET],
  now = NOW,
): Verification {
  const keys = secrets.map((secret) => keyOf(provider, secret));
  return provider.verify(request, { keys, now, toleranceSeconds: provider.toleranceSeconds }) as Verification;
}

export const refused = (reason: string): unknown => ({ verified: false, reason });

/** A silent bus at `NOW`, which remembers the events that reach its subscriber. */
export function busOf<Events extends EventMap, Base>(
  provider: Provider<Events, Base>,
  secret: string = SECRET,
): { bus: EventBus<Events, Base>; seen: Record<string, unknown>[]; contexts: Record<string, unknown>[] } {
  const bus = new EventBus(provider, { clock: { ...systemClock, now: () => NOW } });
  bus.logger = new Log();
  bus.signingSecrets = secret;
  const seen: Record<string, unknown>[] = [];
  const contexts: Record<string, unknown>[] = [];
  bus.all((event: unknown, context: unknown) => {
    seen.push(event as Record<string, unknown>);
    contexts.push(context as Record<string, unknown>);
  });
  return { bus, seen, contexts };
}
