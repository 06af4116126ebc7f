import type { Bus } from "../bus/bus.ts";
import { ConfigurationError } from "../errors.ts";
import type { ProviderResponse, SigningKey, Verification, WebhookRequest } from "../providers/provider.ts";
import { diagnose } from "./doctor.ts";
import type { Refusal } from "./hints.ts";
import { Terms } from "./terms.ts";

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
 * Fails with `ConfigurationError` where every secret has expired, and with what a function that finds secrets fails
 * with: nothing is let pass for want of a key. A promise only where something has to be waited for.
 *
 * @param now the clock, in milliseconds since 1970: of a replay, that of the delivery's arrival.
 */
export function verify(
  bus: Bus,
  request: WebhookRequest,
  now: number = bus.clock.now(),
  keys: SoughtKeys = new SoughtKeys(bus, request),
): Checked | undefined | Promise<Checked> {
  if (!bus.verifies) return undefined;
  const all = keys.all;
  return all instanceof Promise ? all.then((found) => check(bus, request, found, now)) : check(bus, request, all, now);
}

function check(bus: Bus, request: WebhookRequest, all: readonly SigningKey[], now: number): Checked | Promise<Checked> {
  // Where nobody listens now, nobody is told: a listener that comes while a check goes on hears of the next.
  const started = bus.hears("hookbus.verify") ? performance.now() : undefined;
  if (all.length === 0) return told(bus, request, all, started, { verified: false, reason: "no_secret" });
  const keys = unexpired(all, now);
  if (keys.length === 0) throw new ConfigurationError(`every secret of the bus "${bus.name}" has expired`);
  const verification = bus.provider.verify(request, new Terms(keys, now, bus.tolerance));
  if (!("verified" in verification)) {
    // Of a scheme of somebody's own, whatever can be waited for: a promise of another make, too.
    const promised = Promise.resolve(verification);
    return promised.then((verified) => told(bus, request, all, started, checkedOf(verified, keys)));
  }
  return told(bus, request, all, started, checkedOf(verification, keys));
}

function checkedOf(verification: Verification, keys: readonly SigningKey[]): Checked {
  if (!verification.verified) return verification;
  const { matchedSecret } = verification;
  const key = keys.find(({ label }) => label === matchedSecret) as SigningKey;
  return { verified: true, matchedSecret, key };
}

function told(
  bus: Bus,
  request: WebhookRequest,
  all: readonly SigningKey[],
  started: number | undefined,
  checked: Checked,
): Checked {
  if (started !== undefined) {
    bus.step({
      name: "hookbus.verify",
      durationMs: performance.now() - started,
      outcome: checked.verified ? "verified" : "rejected",
      ...(checked.verified ? { matchedSecret: checked.matchedSecret } : { reason: checked.reason }),
    });
  }
  if (!checked.verified) diagnose(bus, request, all, checked.reason);
  return checked;
}

/** The answer to a handshake that comes unsigned. A function that finds secrets is asked where one is due without any. */
export function greet(
  bus: Bus,
  request: WebhookRequest,
  now: number,
  keys: SoughtKeys,
): ProviderResponse | undefined | Promise<ProviderResponse | undefined> {
  const { handshakes } = bus.provider;
  if (!handshakes?.beforeVerification) return undefined;
  const greeting = handshakes.beforeVerification(request, unexpired(keys.set, now));
  if (greeting) return greeting;
  const sought = keys.all;
  if (!(sought instanceof Promise)) return undefined;
  return sought.then((found) => handshakes.beforeVerification?.(request, unexpired(found, now)));
}

/** Whether every secret that is set has expired: then no delivery can be verified. */
export function allExpired(keys: readonly SigningKey[], now: number): boolean {
  return keys.length > 0 && !keys.some((key) => isCurrent(key, now));
}

function unexpired(keys: readonly SigningKey[], now: number): readonly SigningKey[] {
  return keys.every((key) => isCurrent(key, now)) ? keys : keys.filter((key) => isCurrent(key, now));
}

function isCurrent({ notAfter }: SigningKey, now: number): boolean {
  return notAfter === undefined || now <= notAfter;
}
