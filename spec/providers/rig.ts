import { readFileSync } from "node:fs";
import { systemClock } from "../../src/clock.ts";
import { EventBus } from "../../src/event-bus.ts";
import type {
  Envelope,
  Provider,
  RequestHeaders,
  SecretForm,
  SecretSetting,
  SigningKey,
  SignOptions,
  Verification,
  WebhookRequest,
} from "../../src/providers/provider.ts";
import { Log } from "../support/bus.ts";
import { atOnce } from "./only.ts";

/** Milliseconds since 1970: November 2023. */
export const NOW = 1_700_000_000_000;

export interface Post {
  readonly headers?: RequestHeaders;
  readonly url?: string;
  readonly method?: string;
  readonly now?: number;
  readonly secret?: string;
}

interface RigOptions {
  readonly secret: string;
  /** What verifies, where it is not what signs. */
  readonly verifying?: string;
}

/** A provider with a secret, and a bus of it that remembers what its subscribers saw. */
export function rig(provider: Provider, { secret, verifying = secret }: RigOptions) {
  const [[setting, form]] = Object.entries(provider.secrets) as unknown as [[SecretSetting, SecretForm]];
  const key = (text: string, label = "it"): SigningKey => ({ label, scheme: form.scheme, key: form.parse(text) });

  const deliver = (body: unknown, post: Post = {}): WebhookRequest => {
    const { headers = {}, url = "/", method = "POST", now = NOW } = post;
    const bytes = bytesOf(body);
    const options: SignOptions = { secret: post.secret ?? secret, now, method, url, headers };
    return { method, url, headers: { ...provider.sign(bytes, options), ...headers }, body: bytes };
  };
  const verify = (request: WebhookRequest, now: number = NOW, tolerance = provider.toleranceSeconds): Verification =>
    atOnce(provider.verify(request, { keys: [key(verifying)], now, toleranceSeconds: tolerance }));
  const read = (request: WebhookRequest): readonly Envelope[] => {
    const payload = provider.parse ? provider.parse(request) : JSON.parse(Buffer.from(request.body).toString());
    return [provider.read(payload, { request })].flat();
  };
  const open = (now: number = NOW) => {
    const bus = new EventBus(provider, { clock: { ...systemClock, now: () => now } });
    bus.logger = new Log();
    bus[setting] = verifying as never;
    const seen: string[] = [];
    bus.all((_event, { type }) => {
      seen.push(type);
    });
    return { bus, seen };
  };
  /** What `bus.signingSecrets = text` says against it. */
  const objection = (text: string): string => {
    try {
      new EventBus(provider)[setting] = text as never;
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };
  return { key, deliver, verify, read, open, objection };
}

export const VERIFIED: Verification = { verified: true, matchedSecret: "it" };

export function refused(reason: string): unknown {
  return { verified: false, reason };
}

/** A shipped fixture as it would be sent, and parsed. */
export function sample<T = Record<string, unknown>>(path: string): T {
  return JSON.parse(readFileSync(new URL(`../../fixtures/${path}`, import.meta.url), "utf8"));
}

/** The fields as a form. */
export function form(fields: Readonly<Record<string, string>>): string {
  return new URLSearchParams(fields).toString();
}

function bytesOf(body: unknown): Buffer {
  if (body instanceof Uint8Array) return Buffer.from(body);
  return Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
}
