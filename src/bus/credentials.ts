import type { Clock } from "../clock.ts";
import { ConfigurationError } from "../errors.ts";
import type { EventMap, Provider, SecretSetting, SigningKey, WebhookRequest } from "../providers/provider.ts";
import type { Logger } from "./logger.ts";
import { writeLine } from "./logger.ts";
import { isResolver, ResolvedKeys, type SecretResolver, type SecretResolverOptions } from "./secret-resolver.ts";
import { type SecretInput, type SecretLabel, secretText, signingKeys } from "./secrets.ts";

/** What a setting of secrets takes: one, several, or a function that finds them for each request. */
export type SecretsInput = SecretInput | readonly SecretInput[] | SecretResolver | SecretResolverOptions;

/** The secrets of a bus: one setting holds them all. */
interface Held {
  readonly setting: SecretSetting;
  readonly keys: readonly SigningKey[];
  /** In place of `keys`. */
  readonly resolver?: ResolvedKeys;
}

/** What another bus verifies with, for a diagnosis. */
export interface KeyHolder {
  readonly name: string;
  readonly keys: readonly SigningKey[];
}

const NO_KEYS: readonly SigningKey[] = [];

/** Every bus of the process that has secrets, for as long as somebody else keeps it. */
const holders = new Set<WeakRef<Credentials<EventMap, unknown>>>();
const forgotten = new FinalizationRegistry<WeakRef<Credentials<EventMap, unknown>>>((holder) => holders.delete(holder));

/**
 * @internal The other buses of the process and the keys with which they could take the deliveries of `bus`: those of the
 * same provider, and of others the keys of its schemes (Clerk signs as Svix does). The newest first.
 */
export function* otherHolders(bus: Pick<Credentials<EventMap, unknown>, "provider" | "keys">): Generator<KeyHolder> {
  const schemes = new Set([...Object.values(bus.provider.secrets), ...bus.keys].map(({ scheme }) => scheme));
  const others = [...holders].reverse().flatMap((holder) => holder.deref() ?? []);
  const isSame = ({ provider }: Credentials<EventMap, unknown>): boolean => provider.name === bus.provider.name;
  for (const other of [...others.filter(isSame), ...others.filter((each) => !isSame(each))]) {
    const keys = isSame(other) ? other.keys : other.keys.filter(({ scheme }) => schemes.has(scheme));
    if (other !== bus && keys.length > 0) yield { name: other.name, keys };
  }
}

/**
 * What a bus authenticates deliveries with.
 *
 * Every setter refuses what cannot be meant, by a `ConfigurationError` that names the setting; once refused, a setting
 * keeps the bus from being ready until it is set well, so that a caught error cannot weaken authentication.
 */
export abstract class Credentials<Events extends EventMap, Base> {
  abstract readonly name: string;
  abstract readonly clock: Clock;
  abstract get logger(): Logger;
  readonly provider: Provider<Events, Base>;
  readonly #refused = new Map<string, string>();
  #held: Held | undefined;
  #apiKey: string | undefined;

  constructor(provider: Provider<Events, Base>) {
    this.provider = provider;
  }

  /** The key for the provider's API. With it alone, deliveries are authenticated by fetching the event back. */
  get apiKey(): string | undefined {
    return this.#apiKey;
  }
  set apiKey(value: string | undefined) {
    this.set("apiKey", value, (key) => {
      const { retrieval, name } = this.provider;
      if (!retrieval) throw new ConfigurationError(`\`apiKey\` means nothing to ${name}`);
      const text = secretText("apiKey", key);
      const objection = retrieval.objection?.(text);
      if (objection) throw new ConfigurationError(`\`apiKey\` ${objection}`);
      this.#apiKey = text;
    });
  }

  /**
   * One signing secret, several while one is being replaced, or a function that finds them for each request. Reading
   * gives the labels of those that are known.
   */
  get signingSecrets(): readonly SecretLabel[] {
    return this.#labels("signingSecrets");
  }
  set signingSecrets(value: SecretsInput) {
    this.#setSecrets("signingSecrets", value);
  }

  /** Conekta's legacy digest: the PEM RSA private key with which the digest is decrypted. */
  get privateSignature(): readonly SecretLabel[] {
    return this.#labels("privateSignature");
  }
  set privateSignature(value: SecretInput) {
    this.#setSecrets("privateSignature", value);
  }

  /** Conekta's digest of today: the PEM public keys of the active webhook keys, or a function that finds them. */
  get webhookKeys(): readonly SecretLabel[] {
    return this.#labels("webhookKeys");
  }
  set webhookKeys(value: SecretsInput) {
    this.#setSecrets("webhookKeys", value);
  }

  /** Forgets what a function that finds secrets has found: secrets replaced just now count from the next delivery on. */
  invalidateSecrets(): void {
    this.#held?.resolver?.invalidate();
  }

  /** @internal Every key that is set, expired ones too, in the order of the setting; none where a function finds them. */
  get keys(): readonly SigningKey[] {
    return this.#held?.keys ?? NO_KEYS;
  }

  /** @internal Whether signatures are checked: by keys that are set, or by those that a function finds. */
  get verifies(): boolean {
    return this.#held !== undefined;
  }

  /** @internal The keys for a request, expired ones too: a promise only where a function finds them. */
  keysFor(request: WebhookRequest): readonly SigningKey[] | Promise<readonly SigningKey[]> {
    return this.#held?.resolver?.keysFor(request) ?? this.keys;
  }

  /** Throws when a setting was refused and never set well. */
  protected assertNothingRefused(): void {
    // Asked with every delivery.
    if (this.#refused.size === 0) return;
    for (const why of this.#refused.values()) throw new ConfigurationError(why);
  }

  /** Keeps the bus from being ready, for the reason `why`. */
  protected refuse(setting: string, why: string): void {
    this.#refused.set(setting, why);
  }

  protected accept(setting: string): void {
    this.#refused.delete(setting);
  }

  protected set<T>(setting: string, value: T | undefined, take: (value: T) => void): void {
    try {
      if (value === undefined) {
        throw new ConfigurationError(
          `\`${setting}\` of the bus "${this.name}" was set to undefined: is its environment variable set? ` +
            "Leave the line out where the setting is not used",
        );
      }
      take(value);
      this.accept(setting);
    } catch (error) {
      this.refuse(setting, error instanceof Error ? error.message : `\`${setting}\` was refused`);
      throw error;
    }
  }

  #setSecrets(setting: SecretSetting, value: SecretsInput): void {
    this.set(setting, value, (input) => {
      const form = this.provider.secrets[setting];
      if (!form) {
        const known = Object.keys(this.provider.secrets).map((name) => `\`${name}\``);
        throw new ConfigurationError(
          `\`${setting}\` means nothing to ${this.provider.name}: its secrets go into ${known.join(" or ")}`,
        );
      }
      const warn = (message: string): void => writeLine(this.logger, "warn", `hookbus: ${message}`, { bus: this.name });
      let held: Held;
      if (isResolver(input)) {
        if (setting === "privateSignature")
          throw new ConfigurationError(`\`${setting}\` takes a secret, not a function`);
        const use = { setting, form, clock: () => this.clock, warn };
        held = { setting, keys: NO_KEYS, resolver: new ResolvedKeys(input, use) };
      } else held = { setting, keys: signingKeys(setting, form, input, warn) };
      const other = this.#held?.setting ?? setting;
      if (other !== setting) {
        throw new ConfigurationError(
          `\`${setting}\` and \`${other}\` are both set: one header cannot mean both, keep the one that is in use`,
        );
      }
      if (!this.#held) this.#enter();
      this.#held = held;
    });
  }

  #enter(): void {
    const holder = new WeakRef<Credentials<EventMap, unknown>>(this as never);
    holders.add(holder);
    forgotten.register(this, holder);
  }

  #labels(setting: SecretSetting): readonly SecretLabel[] {
    return this.#held?.setting === setting ? this.keys.map(({ label }) => ({ label })) : [];
  }
}
