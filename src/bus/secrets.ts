import { createSecretKey } from "node:crypto";
import { ConfigurationError } from "../errors.ts";
import { type Names, refuseUnknown } from "../known-options.ts";
import type { SecretForm, SecretSetting, SigningKey } from "../providers/provider.ts";

/** A secret with the label under which logs and `context.matchedSecret` show it. */
export interface LabelledSecret {
  readonly label: string;
  readonly secret: string | undefined;
  /**
   * The last moment at which it verifies, by the bus's clock: a `Date`, ISO 8601 text with a time zone
   * (`"2027-01-31T00:00:00Z"`) or milliseconds since 1970. Default: it never expires.
   */
  readonly notAfter?: Date | string | number;
}

/**
 * What can be read of a secret that was set. No string, on purpose: `bus.signingSecrets = [...bus.signingSecrets, next]`
 * would make secrets of labels, which anybody can guess.
 */
export interface SecretLabel {
  readonly label: string;
}

export type SecretInput = string | LabelledSecret | undefined;

const LABELLED: Names<Required<LabelledSecret>> = { label: true, secret: true, notAfter: true };

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
    const labelled: LabelledSecret =
      typeof entry === "object" && entry !== null ? entry : { label: place, secret: entry };
    const { label, secret } = labelled;
    if (typeof entry === "object" && entry !== null && !("secret" in entry)) {
      throw new ConfigurationError(`\`${place}\` has no \`secret\`: what a setting reads as are labels, not secrets`);
    }
    // Without a `notAfter` that was misspelt, it would never expire.
    refuseUnknown(`${place}.`, labelled, LABELLED);
    if (secret === undefined) {
      warn(`\`${place}\` is undefined and left out: is its environment variable set?`);
      continue;
    }
    if (typeof label !== "string" || label.trim() === "") {
      throw new ConfigurationError(`\`${place}\` needs a \`label\` that is not empty`);
    }
    if (keys.some((key) => key.label === label)) {
      throw new ConfigurationError(
        `\`${place}\` has the \`label\` of another secret: which of them matched could not be told`,
      );
    }
    const text = secretText(place, secret);
    const objection = form.objection?.(text);
    if (objection) throw new ConfigurationError(`\`${place}\` ${objection}`);
    const expiry = "notAfter" in labelled ? { notAfter: momentOf(labelled.notAfter, place) } : {};
    const key = { label, scheme: form.schemeOf?.(text) ?? form.scheme, key: parse(form, text, place), ...expiry };
    slips.set(key, () => slipsOf(form, text, key));
    keys.push(key);
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

/** Date alone, or date and time with a zone: a time without one would mean another moment on each machine. */
const ISO = /^(\d{4}-\d{2}-\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** Milliseconds of 1973, and seconds of the year 5138: what is less was meant in seconds. */
const LEAST_MS = 1e11;

function momentOf(value: unknown, place: string): number {
  const moment = value instanceof Date ? value.getTime() : typeof value === "string" ? fromIso(value) : value;
  if (typeof moment === "number" && Number.isFinite(moment) && moment >= LEAST_MS) return moment;
  throw new ConfigurationError(
    `\`${place}.notAfter\` must be a Date, ISO 8601 text with a time zone, or milliseconds since 1970`,
  );
}

function fromIso(text: string): number {
  const day = ISO.exec(text)?.[1];
  // A day that its month has not would become one of the next month.
  if (day === undefined || new Date(Date.parse(day)).toJSON()?.slice(0, 10) !== day) return Number.NaN;
  return Date.parse(text);
}

/** A mistake that is made with secrets, in a word. */
export type SecretSlip = "secret_quotes" | "secret_line_end" | "secret_prefix" | "secret_decoding";

/** The key that a secret would have made if it had been set without the slip. It verifies nothing: it explains. */
export interface SlipKey {
  readonly slip: SecretSlip;
  readonly key: SigningKey;
}

/** Makes keys, never text: the text of a secret is known to nothing but these functions. */
const slips = new WeakMap<SigningKey, () => SlipKey[]>();

/** The keys that the secret of `key` would have made without the slips that are often made with secrets. */
export function slipKeys(key: SigningKey): SlipKey[] {
  return slips.get(key)?.() ?? [];
}

/** How the text of a symmetric secret may be read, and what text can be read so. */
const ENCODINGS = { utf8: /^./s, base64: /^[\w+/-]+={0,2}$/, hex: /^(?:[0-9a-f]{2})+$/i };

function slipsOf(form: SecretForm, text: string, { label, key: own }: SigningKey): SlipKey[] {
  const found: SlipKey[] = [];
  const add = (slip: SecretSlip, scheme: string, make: () => SigningKey["key"]): void => {
    try {
      const key = make();
      if (!key.equals(own)) found.push({ slip, key: { label, scheme, key } });
    } catch {
      // Text that makes no key is none that was meant.
    }
  };
  const scheme = (secret: string): string => form.schemeOf?.(secret) ?? form.scheme;
  const other = (slip: SecretSlip, secret: string | undefined): void => {
    if (secret) add(slip, scheme(secret), () => form.parse(secret));
  };
  other("secret_quotes", /^(["'`])(.*)\1$/s.exec(text)?.[2]);
  other("secret_line_end", /^(.*?)(?:\\r|\\n)+$/s.exec(text)?.[1]);
  const bare = text.replace(/^(?:v1a?,)?(?:whsec_)*/, "");
  for (const secret of [bare, `whsec_${bare}`]) other("secret_prefix", secret);
  for (const secret of own.type === "secret" ? [text, bare] : []) {
    for (const [encoding, shape] of Object.entries(ENCODINGS)) {
      // Digits are told from other text first: decoded in part, they could make the empty key, which anybody has.
      const bytes = shape.test(secret) ? Buffer.from(secret, encoding as keyof typeof ENCODINGS) : undefined;
      if (bytes?.byteLength) add("secret_decoding", scheme(text), () => createSecretKey(bytes));
    }
  }
  return found;
}
