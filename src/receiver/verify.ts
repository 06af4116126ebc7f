import type { Bus } from "../bus/bus.ts";
import { ConfigurationError } from "../errors.ts";
import type { SigningKey, WebhookRequest } from "../providers/provider.ts";
import { diagnose } from "./doctor.ts";
import type { Refusal } from "./hints.ts";

/** What came of the check; a good one with the key that matched. */
export type Checked =
  | { readonly verified: true; readonly matchedSecret: string; readonly key: SigningKey }
  | { readonly verified: false; readonly reason: Refusal };

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
): Promise<Checked | undefined> {
  if (!bus.verifies) return undefined;
  const known = bus.keysFor(request);
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
  const keys = all.filter((key) => isCurrent(key, now));
  if (keys.length === 0) throw new ConfigurationError(`every secret of the bus "${bus.name}" has expired`);
  const verification = await bus.provider.verify(request, { keys, now, toleranceSeconds: bus.tolerance });
  if (!verification.verified) return verification;
  const key = keys.find(({ label }) => label === verification.matchedSecret) as SigningKey;
  return { verified: true, matchedSecret: verification.matchedSecret, key };
}

/** The keys set on the bus, without those that have expired. */
export function unexpired(bus: Bus): readonly SigningKey[] {
  const now: number = bus.clock.now();
  return bus.keys.filter((key) => isCurrent(key, now));
}

function isCurrent({ notAfter }: SigningKey, now: number): boolean {
  return notAfter === undefined || now <= notAfter;
}
