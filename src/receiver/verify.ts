import type { Bus } from "../bus/bus.ts";
import { ConfigurationError } from "../errors.ts";
import type { ProviderResponse, SigningKey, WebhookRequest } from "../providers/provider.ts";
import { diagnose } from "./doctor.ts";
import type { Refusal } from "./hints.ts";

/** What came of the check; a good one with the key that matched. */
export type Checked =
  | { readonly verified: true; readonly matchedSecret: string; readonly key: SigningKey }
  | { readonly verified: false; readonly reason: Refusal };

/** The keys for a request, expired ones too: sought when they are first needed, and once. */
export class SoughtKeys {
  readonly #bus: Bus;
  readonly #request: WebhookRequest;
  #keys: readonly SigningKey[] | Promise<readonly SigningKey[]> | undefined;

  constructor(bus: Bus, request: WebhookRequest) {
    this.#bus = bus;
    this.#request = request;
  }

  /** The keys that are set on the bus; none where a function finds them. */
  get set(): readonly SigningKey[] {
    return this.#bus.keys;
  }

  /** All of them: a promise only where a function finds them. */
  get all(): readonly SigningKey[] | Promise<readonly SigningKey[]> {
    this.#keys ??= this.#bus.keysFor(this.#request);
    return this.#keys;
  }
}

/**
 * Checks the signature; `undefined` where there is nothing to check with, so that only retrieval can authenticate.
 *
 * Rejects with `ConfigurationError` where every secret has expired, and with what a function that finds secrets fails
 * with: nothing is let pass for want of a key.
 *
 * @param now the clock, in milliseconds since 1970: of a replay, that of the delivery's arrival.
 */
export async function verify(
  bus: Bus,
  request: WebhookRequest,
  now: number = bus.clock.now(),
  keys: SoughtKeys = new SoughtKeys(bus, request),
): Promise<Checked | undefined> {
  if (!bus.verifies) return undefined;
  const known = keys.all;
  const all = known instanceof Promise ? await known : known;
  const started = performance.now();
  const checked = await check(bus, request, all, now);
  bus.step({
    name: "hookbus.verify",
    durationMs: performance.now() - started,
    outcome: checked.verified ? "verified" : "rejected",
    ...(checked.verified ? { matchedSecret: checked.matchedSecret } : { reason: checked.reason }),
  });
  if (!checked.verified) diagnose(bus, request, all, checked.reason);
  return checked;
}

async function check(bus: Bus, request: WebhookRequest, all: readonly SigningKey[], now: number): Promise<Checked> {
  if (all.length === 0) return { verified: false, reason: "no_secret" };
  const keys = unexpired(all, now);
  if (keys.length === 0) throw new ConfigurationError(`every secret of the bus "${bus.name}" has expired`);
  const verification = await bus.provider.verify(request, { keys, now, toleranceSeconds: bus.tolerance });
  if (!verification.verified) return verification;
  const key = keys.find(({ label }) => label === verification.matchedSecret) as SigningKey;
  return { verified: true, matchedSecret: verification.matchedSecret, key };
}

/** The answer to a handshake that comes unsigned. A function that finds secrets is asked where one is due without any. */
export async function greet(
  bus: Bus,
  request: WebhookRequest,
  now: number,
  keys: SoughtKeys,
): Promise<ProviderResponse | undefined> {
  const { handshakes } = bus.provider;
  if (!handshakes?.beforeVerification) return undefined;
  const greeting = handshakes.beforeVerification(request, unexpired(keys.set, now));
  if (greeting) return greeting;
  const found = keys.all;
  return found instanceof Promise ? handshakes.beforeVerification(request, unexpired(await found, now)) : undefined;
}

function unexpired(keys: readonly SigningKey[], now: number): readonly SigningKey[] {
  return keys.filter((key) => isCurrent(key, now));
}

function isCurrent({ notAfter }: SigningKey, now: number): boolean {
  return notAfter === undefined || now <= notAfter;
}
