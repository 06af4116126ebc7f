import { ConfigurationError } from "../errors.ts";
import type { InboxOptions } from "./inbox.ts";

/** How an inbox goes about failures and time, with every default filled in. */
export interface Policy {
  readonly attempts: number;
  readonly baseMs: number;
  readonly capMs: number;
  readonly leaseMs: number;
  readonly retentionMs: number;
  readonly random: () => number;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Stripe delivers again for up to three days (docs.stripe.com/webhooks, "Automatic retries"), longer than most. */
const SHORTEST_RETENTION_MS = 3 * DAY_MS;

/** Throws `ConfigurationError` for what cannot be meant. */
export function policyOf(options: InboxOptions): Policy {
  const { attempts = 15, backoff = {}, leaseMs = 30_000, retentionMs = 30 * DAY_MS, random = Math.random } = options;
  const { baseMs = 5_000, capMs = 6 * 60 * 60 * 1000 } = backoff;
  assertWhole("attempts", attempts);
  assertWhole("leaseMs", leaseMs);
  assertWhole("backoff.baseMs", baseMs);
  assertWhole("backoff.capMs", capMs);
  assertWhole("retentionMs", retentionMs);
  if (retentionMs < SHORTEST_RETENTION_MS) {
    throw new ConfigurationError(
      `\`retentionMs\` must be three days (${SHORTEST_RETENTION_MS}) or more: providers deliver again for as long`,
    );
  }
  if (typeof random !== "function") throw new ConfigurationError("`random` must be a function");
  return { attempts, baseMs, capMs, leaseMs, retentionMs, random };
}

/**
 * How long to wait after attempt number `attempt` failed, in milliseconds: exponential, with full jitter and a cap
 * (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 */
export function backoffMs({ baseMs, capMs, random }: Policy, attempt: number): number {
  // 2 ** 40 milliseconds is 35 years: beyond any cap, and still a whole number.
  return Math.ceil(random() * Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 40)));
}

export function assertWhole(name: string, value: number, least = 1): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new ConfigurationError(`\`${name}\` must be a whole number, ${least} or more`);
}
