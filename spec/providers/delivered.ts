import { expect } from "chai";
import { systemClock } from "../../src/clock.ts";
import { EventBus } from "../../src/event-bus.ts";
import type { EventMap, Provider, SigningKey, WebhookRequest } from "../../src/providers/provider.ts";
import { Log } from "../support/bus.ts";

/** The keys of a provider's signing secrets, each under its text's place. */
export function keysOf(provider: Provider, ...secrets: readonly string[]): SigningKey[] {
  const form = provider.secrets.signingSecrets ?? expect.fail("it takes no signing secrets");
  return secrets.map((secret, index) => ({ label: `key ${index}`, scheme: form.scheme, key: form.parse(secret) }));
}

/** A POST to `/`, unless it is said otherwise. */
export function requestOf(
  request: Partial<Omit<WebhookRequest, "body">> & { body?: Uint8Array | string },
): WebhookRequest {
  return { method: "POST", url: "/", headers: {}, ...request, body: Buffer.from(request.body ?? "") };
}

/** What `configure` says of a secret. */
export function refusalOf(provider: Provider, secret: string): string | undefined {
  try {
    new EventBus(provider).signingSecrets = secret;
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

export interface Delivered {
  readonly status: number;
  readonly outcome: string;
  readonly body: string;
}

/** A bus with one subscriber of everything, which remembers what it was given. */
export function recordingBus<Events extends EventMap, Base>(
  provider: Provider<Events, Base>,
  secret: string,
  now?: () => number,
): { bus: EventBus<Events, Base>; seen: unknown[]; deliver(request: WebhookRequest): Promise<Delivered> } {
  const bus = new EventBus(provider, now ? { clock: { ...systemClock, now } } : {});
  bus.logger = new Log();
  bus.signingSecrets = secret;
  const seen: unknown[] = [];
  bus.all((event: unknown) => {
    seen.push(event);
  });
  return {
    bus,
    seen,
    async deliver(request) {
      const { status, outcome, body } = await bus.receive(request);
      return { status, outcome, body };
    },
  };
}
