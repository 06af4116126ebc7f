import type { Bus } from "../bus/bus.ts";
import { otherHolders } from "../bus/credentials.ts";
import { slipKeys } from "../bus/secrets.ts";
import type { SigningKey, Verification, WebhookRequest } from "../providers/provider.ts";
import { otherBodies } from "./doctor/bodies.ts";
import { otherUrls } from "./doctor/urls.ts";
import { adviceOn, type Finding, type FindingDetails, type Refusal } from "./hints.ts";
import { Terms } from "./terms.ts";

/** Runs a job once whatever is at hand has been done: the answer to the sender comes first. */
export type Schedule = (job: () => void) => unknown;

/** What might be the matter: with these in place of what was found, the signature would be good. */
interface Hypothesis {
  readonly finding: Finding;
  readonly request: WebhookRequest;
  readonly keys: readonly SigningKey[];
  readonly bus?: string;
}

/** The refusals behind which a mistake of ours may be. */
const EXAMINED: ReadonlySet<Refusal> = new Set([
  "bad_signature",
  "bad_body_hash",
  "timestamp_too_old",
  "timestamp_in_future",
]);

/** One examination in this time for each bus: whoever forges signatures cannot keep the process busy. */
const QUIET_MS = 10_000;

const MAX_BODY_BYTES = 256 * 1024;

/** A provider's `verify` may ask over the network: then few hypotheses are tried. */
const MAX_MS = 2_000;

/** Of other buses: a process may make them by the thousand. */
const MAX_BUSES = 50;

/** Longer than any clock is wrong, in seconds: milliseconds taken for seconds are about 2^40. */
const MAX_SKEW_SECONDS = 2 ** 50;

/** In the next turn of the event loop but one: at the end of this one, adapters write their answers. */
const afterAnswers: Schedule = (job) => void setImmediate(() => void setImmediate(job));

/**
 * Looks for what would have made a refused signature good, and tells the operator alone, by the step
 * `hookbus.diagnose`. It goes through the provider's own `verify`, so it serves every provider; it lets nothing pass.
 */
export class Doctor {
  readonly #bus: Bus;
  readonly #schedule: Schedule;
  readonly #begin: Schedule;
  #busy = false;
  #last = Number.NEGATIVE_INFINITY;

  constructor(bus: Bus, schedule?: Schedule) {
    this.#bus = bus;
    this.#schedule = schedule ?? setImmediate;
    this.#begin = schedule ?? afterAnswers;
  }

  /** Examines a refused delivery, later; or not, where there was another one just now. Never throws. */
  see(request: WebhookRequest, keys: readonly SigningKey[], reason: Refusal): void {
    if (this.#busy || !EXAMINED.has(reason) || request.body.byteLength > MAX_BODY_BYTES) return;
    const since = this.#bus.clock.now() - this.#last;
    // A clock that was set back does not count.
    if (since >= 0 && since < QUIET_MS) return;
    this.#last = this.#bus.clock.now();
    this.#busy = true;
    this.#begin(() => void this.#examine(request, keys, reason));
  }

  async #examine(request: WebhookRequest, keys: readonly SigningKey[], reason: Refusal): Promise<void> {
    const started = performance.now();
    let found: { readonly finding: Finding; readonly hint: string } | undefined;
    try {
      found = await this.#find(request, keys, started + MAX_MS);
    } catch {
      // What a provider of the user's own throws here has no more to say than that nothing was found.
    }
    this.#busy = false;
    this.#bus.step({
      name: "hookbus.diagnose",
      durationMs: performance.now() - started,
      outcome: found ? "found" : "nothing",
      reason,
      finding: found?.finding ?? "nothing",
      hint: found?.hint,
    });
  }

  async #find(
    request: WebhookRequest,
    keys: readonly SigningKey[],
    until: number,
  ): Promise<{ finding: Finding; hint: string } | undefined> {
    for (const hypothesis of hypotheses(this.#bus, request, keys)) {
      if (performance.now() > until) return undefined;
      const { finding, bus = "" } = hypothesis;
      const verification = await this.#try(hypothesis);
      if (verification.verified) {
        const off = finding === "clock_skew" ? await this.#skew(hypothesis) : "";
        const details: FindingDetails = { label: verification.matchedSecret, bus, off };
        return { finding, hint: adviceOn(finding, details) };
      }
      await new Promise<void>((resolve) => void this.#schedule(resolve));
    }
    return undefined;
  }

  /** How far off the timestamp is: the least tolerance that lets it pass, found by halving. */
  async #skew(hypothesis: Hypothesis): Promise<string> {
    let [low, high] = [0, 1];
    while (high < MAX_SKEW_SECONDS && !(await this.#try(hypothesis, high)).verified) [low, high] = [high, high * 2];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if ((await this.#try(hypothesis, middle)).verified) high = middle;
      else low = middle;
    }
    const refusal = await this.#try(hypothesis, low);
    return `${high} s ${!refusal.verified && refusal.reason === "timestamp_in_future" ? "ahead" : "ago"}`;
  }

  #try({ request, keys }: Hypothesis, toleranceSeconds = MAX_SKEW_SECONDS): Verification | Promise<Verification> {
    return this.#bus.provider.verify(request, new Terms(keys, this.#last, toleranceSeconds));
  }
}

/** From the likely and cheap to the far-fetched, one change at a time. */
function* hypotheses(bus: Bus, request: WebhookRequest, keys: readonly SigningKey[]): Generator<Hypothesis> {
  const now = bus.clock.now();
  const expired = ({ notAfter }: SigningKey): boolean => notAfter !== undefined && now > notAfter;
  const current = keys.filter((key) => !expired(key));
  yield { finding: "clock_skew", request, keys: current };
  yield { finding: "secret_expired", request, keys: keys.filter(expired) };
  for (const { slip, key } of current.flatMap(slipKeys)) yield { finding: slip, request, keys: [key] };
  let others = 0;
  for (const other of otherHolders(bus)) {
    if (++others > MAX_BUSES) break;
    yield { finding: "other_bus", request, keys: other.keys, bus: other.name };
  }
  for (const { finding, body } of otherBodies(request.body)) {
    yield { finding, request: { ...request, body }, keys: current };
  }
  for (const url of otherUrls(request)) yield { finding: "url", request: { ...request, url }, keys: current };
}

const doctors = new WeakMap<Bus, Doctor>();

/** Has the doctor of the bus look at a refused delivery, off the request's way. */
export function diagnose(bus: Bus, request: WebhookRequest, keys: readonly SigningKey[], reason: Refusal): void {
  let doctor = doctors.get(bus);
  if (doctor === undefined) {
    doctor = new Doctor(bus);
    doctors.set(bus, doctor);
  }
  doctor.see(request, keys, reason);
}
