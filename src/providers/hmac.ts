import { defineProvider } from "./define-provider.ts";
import { checkHmac, type HmacOptions, KEYS } from "./hmac-options.ts";
import type { EventMap, Provider } from "./provider.ts";
import type { KeyForm } from "./schemes/key-forms.ts";

export type { HmacOptions };

/**
 * A provider for any sender that signs with an HMAC: `hmac({ name: "acme", header: "x-acme-signature" })`. Its secrets go
 * into `signingSecrets`.
 *
 * Throws `ConfigurationError` for options that make no scheme, or an unsafe one, as `defineProvider` does.
 */
export function hmac<Events extends EventMap = EventMap, Base = Readonly<Record<string, unknown>>>(
  options: HmacOptions,
): Provider<Events, Base> {
  checkHmac(options);
  const { name, algorithm = "sha256", encoding = "hex", keyEncoding = "utf8", list } = options;
  const { event = { id: "id", type: "type" }, delimiter, handshakes, success } = options;
  const kind = { algorithm: `hmac-${algorithm}`, encoding, key: KEYS[keyEncoding] as KeyForm } as const;
  return defineProvider({
    name,
    signature: {
      header: options.header,
      ...(options.prefix === undefined ? {} : { prefix: options.prefix }),
      ...(options.content === undefined ? {} : { content: options.content }),
      ...(options.timestamp && { timestamp: options.timestamp }),
      ...(options.id === undefined ? {} : { id: options.id }),
      ...(options.publicUrl === undefined ? {} : { publicUrl: options.publicUrl }),
      ...(list && { list: { separator: list.separator, assign: list.assign } }),
      secrets: { signingSecrets: { kinds: [{ ...kind, ...(list && { tag: list.tag }) }] } },
    },
    event,
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(handshakes && { handshakes }),
    ...(success && { success }),
  });
}
