import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Clock } from "../clock.ts";
import { ConfigurationError, SecretsUnavailableError } from "../errors.ts";
import type { SecretForm, SecretSetting, SigningKey, WebhookRequest } from "../providers/provider.ts";
import { type SecretInput, signingKeys } from "./secrets.ts";

/**
 * What a resolver may find its tenant by. All of it is **unverified**: it is whatever the sender wrote, and anybody can
 * be the sender. It may choose whose secret is tried, and must decide nothing else.
 */
export type UnverifiedRequest = Readonly<Pick<WebhookRequest, "method" | "url" | "headers" | "ip">>;

/** The secrets of a tenant; null, undefined or an empty list where there is no such tenant. */
export type ResolvedSecrets = SecretInput | readonly SecretInput[] | null;

/** Finds the secrets for a request that nobody has verified yet. What it rejects with is answered by 503. */
export type SecretResolver = (request: UnverifiedRequest) => ResolvedSecrets | Promise<ResolvedSecrets>;

export interface SecretResolverOptions {
  readonly resolve: SecretResolver;
  /**
   * Under what a result is kept. It must tell apart all that `resolve` tells apart, or one tenant's secrets would verify
   * another's deliveries. Default: method and URL, with the query; then `resolve` cannot read headers and address.
   */
  readonly cacheKey?: (request: UnverifiedRequest) => string;
  /** How long secrets are kept, in milliseconds; default 60 000. That there are none is kept for 5 000 at most. */
  readonly ttlMs?: number;
  /** How many results are kept, and as many again of those that found no secret; default 1 000. */
  readonly max?: number;
  /** How long `resolve` may take, in milliseconds; default 10 000. */
  readonly timeoutMs?: number;
}

const OPTIONS: readonly string[] = ["resolve", "cacheKey", "ttlMs", "max", "timeoutMs"];
const NEGATIVE_TTL_MS = 5_000;

/** Calls at once: anybody can ask for tenants that nobody has asked for yet, as many as there are queries. */
const FLIGHTS = 100;

/** What the setting is, and what its bus brings along. */
export interface ResolverUse {
  readonly setting: SecretSetting;
  readonly form: SecretForm;
  readonly clock: () => Clock;
  readonly warn: (message: string) => void;
}

interface Kept {
  readonly keys: readonly SigningKey[];
  readonly until: number;
}

/** Whether `value` was meant as a resolver. */
export function isResolver(value: unknown): value is SecretResolver | SecretResolverOptions {
  return typeof value === "function" || (typeof value === "object" && value !== null && "resolve" in value);
}

/** Asks a resolver, makes keys of what it finds, and keeps them for a while: within bounds, whatever is asked for. */
export class ResolvedKeys {
  readonly #use: ResolverUse;
  readonly #resolve: SecretResolver;
  readonly #cacheKey: SecretResolverOptions["cacheKey"];
  readonly #ttlMs: number;
  readonly #timeoutMs: number;
  readonly #found: LRUCache<string, Kept>;
  /** Apart, so that a flood of made-up tenants displaces none that there is. */
  readonly #missing: LRUCache<string, Kept>;
  #flights = new Map<string, Promise<readonly SigningKey[]>>();
  #underway = 0;

  /** Throws `ConfigurationError` for options that cannot be meant. */
  constructor(given: SecretResolver | SecretResolverOptions, use: ResolverUse) {
    const options = typeof given === "function" ? { resolve: given } : given;
    const { resolve, cacheKey, ttlMs = 60_000, max = 1_000, timeoutMs = 10_000 } = options;
    assertOptions(use.setting, options, { ttlMs, max, timeoutMs });
    this.#use = use;
    this.#resolve = resolve;
    this.#cacheKey = cacheKey;
    this.#ttlMs = ttlMs;
    this.#timeoutMs = timeoutMs;
    this.#found = new LRUCache({ max });
    this.#missing = new LRUCache({ max });
  }

  /**
   * The keys for `request`; none where there is no such tenant.
   *
   * Rejects with `SecretsUnavailableError` when the resolver fails or has too much to do, and with `ConfigurationError`
   * when what it gives cannot be secrets.
   */
  async keysFor(request: WebhookRequest): Promise<readonly SigningKey[]> {
    const unverified = this.#unverified(request);
    const name = this.#nameOf(unverified);
    const kept = this.#found.get(name) ?? this.#missing.get(name);
    if (kept && this.#use.clock().now() < kept.until) return kept.keys;
    const flying = this.#flights.get(name);
    if (flying !== undefined) return flying;
    // `invalidate` puts other flights in place: what lands afterwards is not kept.
    const flights = this.#flights;
    const flight = this.#fetch(unverified)
      .then((keys) => {
        if (flights === this.#flights) this.#keep(name, keys);
        return keys;
      })
      .finally(() => flights.delete(name));
    flights.set(name, flight);
    return flight;
  }

  /** Forgets every result, and keeps none that is being fetched. */
  invalidate(): void {
    this.#found.clear();
    this.#missing.clear();
    this.#flights = new Map();
  }

  #keep(name: string, keys: readonly SigningKey[]): void {
    const none = keys.length === 0;
    const ttlMs = none ? Math.min(this.#ttlMs, NEGATIVE_TTL_MS) : this.#ttlMs;
    (none ? this.#found : this.#missing).delete(name);
    (none ? this.#missing : this.#found).set(name, { keys, until: this.#use.clock().now() + ttlMs });
  }

  async #fetch(request: UnverifiedRequest): Promise<readonly SigningKey[]> {
    const { setting, form, warn } = this.#use;
    const secrets = await this.#ask(request);
    if (secrets === null || secrets === undefined || (Array.isArray(secrets) && secrets.length === 0)) return [];
    return signingKeys(setting, form, secrets, warn);
  }

  async #ask(request: UnverifiedRequest): Promise<ResolvedSecrets> {
    this.#underway += 1;
    try {
      if (this.#underway > FLIGHTS) throw new Error(`${FLIGHTS} of its calls are underway`);
      return await this.#inTime(request);
    } catch (cause) {
      if (cause instanceof ConfigurationError) throw cause;
      throw new SecretsUnavailableError(`the function set as \`${this.#use.setting}\` failed`, { cause });
    } finally {
      this.#underway -= 1;
    }
  }

  async #inTime(request: UnverifiedRequest): Promise<ResolvedSecrets> {
    const clock = this.#use.clock();
    let timer: unknown;
    const late = new Promise<never>((_, reject) => {
      timer = clock.setTimeout(() => reject(new Error(`no answer within ${this.#timeoutMs} ms`)), this.#timeoutMs);
    });
    try {
      return await Promise.race([this.#resolve(request), late]);
    } finally {
      clock.clearTimeout(timer);
    }
  }

  /** Hashed, because a sender may make it as long as it likes. */
  #nameOf(request: UnverifiedRequest): string {
    const name: unknown = this.#cacheKey ? this.#cacheKey(request) : `${request.method} ${request.url}`;
    if (typeof name !== "string") {
      throw new ConfigurationError(`\`${this.#use.setting}.cacheKey\` must return a string`);
    }
    return createHash("sha256").update(name).digest("base64");
  }

  /** What is no part of the default key cannot be read without a key of one's own: a result is never of another's. */
  #unverified({ method, url, headers, ip }: WebhookRequest): UnverifiedRequest {
    if (this.#cacheKey) return Object.freeze({ method, url, headers, ip });
    const refuse = (): never => {
      throw new ConfigurationError(
        `the function set as \`${this.#use.setting}\` reads more than method and URL: set { resolve, cacheKey }, ` +
          "with all it reads in the key",
      );
    };
    return Object.freeze({
      method,
      url,
      get headers(): UnverifiedRequest["headers"] {
        return refuse();
      },
      get ip(): string {
        return refuse();
      },
    });
  }
}

function assertOptions(
  setting: SecretSetting,
  options: SecretResolverOptions,
  { ttlMs, max, timeoutMs }: { readonly ttlMs: number; readonly max: number; readonly timeoutMs: number },
): void {
  const unknown = Object.keys(options).find((option) => !OPTIONS.includes(option));
  if (unknown !== undefined) throw new ConfigurationError(`\`${setting}\` of a resolver has no option \`${unknown}\``);
  const assert = (option: string, fits: boolean, expected: string): void => {
    if (!fits) throw new ConfigurationError(`\`${setting}.${option}\` must be ${expected}`);
  };
  const { resolve, cacheKey } = options;
  assert("resolve", typeof resolve === "function", "a function");
  assert("cacheKey", cacheKey === undefined || typeof cacheKey === "function", "a function");
  assert("ttlMs", Number.isFinite(ttlMs) && ttlMs >= 0, "a number of milliseconds, zero or more");
  assert("max", Number.isSafeInteger(max) && max > 0, "a whole number above zero");
  assert("timeoutMs", Number.isFinite(timeoutMs) && timeoutMs > 0, "a number of milliseconds above zero");
}
