import { ConfigurationError } from "../errors.ts";
import type { SecretForm, SecretSetting, SigningKey } from "../providers/provider.ts";

/** A secret with the label under which logs and `context.matchedSecret` show it. */
export interface LabelledSecret {
  readonly label: string;
  readonly secret: string | undefined;
}

/**
 * What can be read of a secret that was set. No string, on purpose: `bus.signingSecrets = [...bus.signingSecrets, next]`
 * would make secrets of labels, which anybody can guess.
 */
export interface SecretLabel {
  readonly label: string;
}

export type SecretInput = string | LabelledSecret | undefined;

/** Throws `ConfigurationError` unless `value` is text that can be a secret: not empty, no white space around it. */
export function secretText(setting: string, value: unknown): string {
  if (typeof value !== "string") throw new ConfigurationError(`\`${setting}\` must be a string`);
  if (value.trim() === "") throw new ConfigurationError(`\`${setting}\` is empty: is the environment variable filled?`);
  if (value.trim() !== value && !value.includes("-----BEGIN")) {
    throw new ConfigurationError(`\`${setting}\` has white space at its start or end: trim it where it is stored`);
  }
  return value;
}

/**
 * Makes the keys of one setting, checking the shape of each secret.
 *
 * Entries that are `undefined` are left out and reported through `warn`, so that a rotation can leave a variable unset;
 * when none is left, that is an error.
 */
export function signingKeys(
  setting: SecretSetting,
  form: SecretForm,
  input: SecretInput | readonly SecretInput[],
  warn: (message: string) => void,
): SigningKey[] {
  const several = Array.isArray(input);
  const entries: readonly SecretInput[] = Array.isArray(input) ? input : [input as SecretInput];
  if (several && !form.several) throw new ConfigurationError(`\`${setting}\` takes one secret, not a list`);
  const keys: SigningKey[] = [];
  for (const [index, entry] of entries.entries()) {
    const place = several ? `${setting}[${index}]` : setting;
    const { label, secret } = typeof entry === "object" && entry !== null ? entry : { label: place, secret: entry };
    if (typeof entry === "object" && entry !== null && !("secret" in entry)) {
      throw new ConfigurationError(`\`${place}\` has no \`secret\`: what a setting reads as are labels, not secrets`);
    }
    if (secret === undefined) {
      warn(`\`${place}\` is undefined and left out: is its environment variable set?`);
      continue;
    }
    if (typeof label !== "string" || label.trim() === "") {
      throw new ConfigurationError(`\`${place}\` needs a \`label\` that is not empty`);
    }
    const text = secretText(place, secret);
    const objection = form.objection?.(text);
    if (objection) throw new ConfigurationError(`\`${place}\` ${objection}`);
    keys.push({ label, scheme: form.scheme, key: parse(form, text, place) });
  }
  if (keys.length === 0) throw new ConfigurationError(`\`${setting}\` holds no secret: every entry is undefined`);
  return keys;
}

function parse(form: SecretForm, text: string, place: string): SigningKey["key"] {
  try {
    return form.parse(text);
  } catch (error) {
    const why = error instanceof ConfigurationError ? error.message : "cannot be read as a key";
    // The cause of a key that OpenSSL cannot read never quotes the key.
    throw new ConfigurationError(`\`${place}\` ${why}`, { cause: error });
  }
}
