import type { ProviderResponse } from "../providers/provider.ts";

/** What became of a delivery. */
export type Outcome = "handled" | "queued" | "duplicate" | "ignored" | "challenge" | "rejected" | "failed";

/** The answer to a delivery: what goes to the sender, and what it means. */
export interface Receipt {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly outcome: Outcome;
}

const JSON_HEADERS = Object.freeze({ "content-type": "application/json" });

/** The default answer to a delivery that went well. */
const ACKNOWLEDGED: ProviderResponse = { status: 200, headers: JSON_HEADERS, body: '{"received":true}' };

/** The one body of every refusal and failure: it tells the sender nothing. */
const REFUSED_BODY = '{"received":false}';

/** An ack, in the provider's own words where it has some. */
export function acknowledged(outcome: Outcome, response: ProviderResponse = ACKNOWLEDGED): Receipt {
  return { status: response.status, headers: response.headers, body: response.body, outcome };
}

/** A refusal or failure. `headers` may add `allow`, `retry-after` or `www-authenticate`, never a reason. */
export function refused(status: number, outcome: Outcome, headers?: Readonly<Record<string, string>>): Receipt {
  return { status, headers: headers ? { ...JSON_HEADERS, ...headers } : JSON_HEADERS, body: REFUSED_BODY, outcome };
}

/** What every client can count, and what a longer wait comes to (RFC 9111, section 1.2.2). */
const MOST_SECONDS = 2 ** 31;

/** A refusal that asks for another try, in whole seconds (RFC 9110, section 10.2.3). */
export function refusedForNow(status: number, outcome: Outcome, retryAfterSeconds: number): Receipt {
  const seconds = Math.min(MOST_SECONDS, Math.max(1, Math.ceil(retryAfterSeconds)));
  return refused(status, outcome, { "retry-after": String(seconds) });
}
