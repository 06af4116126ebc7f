import { ConfigurationError } from "../errors.ts";
import type { EventMap, Provider, SecretSetting, SigningKey } from "../providers/provider.ts";
import type { Logger } from "./logger.ts";
import { type SecretInput, type SecretLabel, secretText, signingKeys } from "./secrets.ts";

/**
 * What a bus authenticates deliveries with.
 *
 * Every setter refuses what cannot be meant, by a `ConfigurationError` that names the setting; once refused, a setting
 * keeps the bus from being ready until it is set well, so that a caught error cannot weaken authentication.
 */
export abstract class Credentials<Events extends EventMap, Base> {
  abstract readonly name: string;
  abstract get logger(): Logger;
  readonly provider: Provider<Events, Base>;
  readonly #refused = new Map<string, string>();
  readonly #keys = new Map<SecretSetting, readonly SigningKey[]>();
  #allKeys: readonly SigningKey[] = [];
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
      if (!this.provider.retrieval) throw new ConfigurationError(`\`apiKey\` means nothing to ${this.provider.name}`);
      this.#apiKey = secretText("apiKey", key);
    });
  }

  /** One signing secret, or several while one is being replaced. Reading gives their labels. */
  get signingSecrets(): readonly SecretLabel[] {
    return this.#labels("signingSecrets");
  }
  set signingSecrets(value: SecretInput | readonly SecretInput[]) {
    this.#setSecrets("signingSecrets", value);
  }

  /** Conekta's legacy digest: the PEM RSA private key with which the digest is decrypted. */
  get privateSignature(): readonly SecretLabel[] {
    return this.#labels("privateSignature");
  }
  set privateSignature(value: SecretInput) {
    this.#setSecrets("privateSignature", value);
  }

  /** Conekta's digest of today: the PEM public keys of the active webhook keys. */
  get webhookKeys(): readonly SecretLabel[] {
    return this.#labels("webhookKeys");
  }
  set webhookKeys(value: SecretInput | readonly SecretInput[]) {
    this.#setSecrets("webhookKeys", value);
  }

  /** @internal Every key that may verify a signature, in the order of the settings. */
  get keys(): readonly SigningKey[] {
    return this.#allKeys;
  }

  /** Throws when a setting was refused and never set well. */
  protected assertNothingRefused(): void {
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
          `\`${setting}\` of the bus "${this.name}" was set to undefined: is its environment variable set?`,
        );
      }
      take(value);
      this.accept(setting);
    } catch (error) {
      this.refuse(setting, error instanceof Error ? error.message : `\`${setting}\` was refused`);
      throw error;
    }
  }

  #setSecrets(setting: SecretSetting, value: SecretInput | readonly SecretInput[]): void {
    this.set(setting, value, (input) => {
      const form = this.provider.secrets[setting];
      if (!form) {
        const known = Object.keys(this.provider.secrets).map((name) => `\`${name}\``);
        throw new ConfigurationError(
          `\`${setting}\` means nothing to ${this.provider.name}: its secrets go into ${known.join(" or ")}`,
        );
      }
      const warn = (message: string): void => this.logger.warn(`hookbus: ${message}`, { bus: this.name });
      const keys = signingKeys(setting, form, input, warn);
      const other = [...this.#keys.keys()].find((name) => name !== setting);
      if (other) {
        throw new ConfigurationError(
          `\`${setting}\` and \`${other}\` are both set: one header cannot mean both, keep the one that is in use`,
        );
      }
      this.#keys.set(setting, keys);
      this.#allKeys = keys;
    });
  }

  #labels(setting: SecretSetting): readonly SecretLabel[] {
    return (this.#keys.get(setting) ?? []).map(({ label }) => ({ label }));
  }
}
