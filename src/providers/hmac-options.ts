import { ConfigurationError } from "../errors.ts";
import { type Names, refuseUnknown } from "../known-options.ts";
import type { Handshakes, ProviderResponse } from "./provider.ts";
import type { EventDescription } from "./provider-description.ts";
import type { Content } from "./schemes/content.ts";
import type { Encoding } from "./schemes/encoding.ts";
import type { HeaderName } from "./schemes/header-list.ts";
import { BASE64, HEX, type KeyForm, UTF8 } from "./schemes/key-forms.ts";
import type { SignatureDescription } from "./schemes/signature.ts";

/** A sender that signs its webhooks with an HMAC. */
export interface HmacOptions {
  /** The bare brand in lower case, with `-` between its words: `"acme-pay"`. */
  readonly name: string;
  /** The header with the signature: `"x-acme-signature"`; of several names, the first whose field came. */
  readonly header: HeaderName;
  /** Default: `"sha256"`. */
  readonly algorithm?: "sha1" | "sha256" | "sha384" | "sha512";
  /** Default: `"hex"`, in lower case. */
  readonly encoding?: Encoding;
  /** What stands before the signature: `"sha256="`. Default: nothing. */
  readonly prefix?: string;
  /** What is signed: a template over `{body}`, `{timestamp}`, `{id}`, `{url}`, `{method}`. Default: `"{body}"`. */
  readonly content?: string | Content;
  /** How the text of a secret is read; default: `"utf8"`, as it stands. */
  readonly keyEncoding?: "utf8" | "hex" | "base64";
  /** Where the signed timestamp is: a header, or an item of the list. Tolerance by default 300 seconds either way. */
  readonly timestamp?: SignatureDescription["timestamp"];
  /** The header of an id that is signed. */
  readonly id?: HeaderName;
  /** A header that lists several: `t=…,v1=…` is `{ separator: ",", assign: "=", tag: "v1" }`. */
  readonly list?: { readonly separator: string; readonly assign: string; readonly tag: string };
  /** The endpoint's public URL, where `{url}` is signed and a proxy changes it. */
  readonly publicUrl?: string;
  /** Where the event is; default: `{ id: "id", type: "type" }`. */
  readonly event?: EventDescription;
  /** What parts the segments of a type; default: `"."`. */
  readonly delimiter?: string;
  readonly handshakes?: Handshakes;
  readonly success?: ProviderResponse;
}

const NAMES: Names<HmacOptions> = {
  name: true,
  header: true,
  algorithm: true,
  encoding: true,
  prefix: true,
  content: true,
  keyEncoding: true,
  timestamp: true,
  id: true,
  list: true,
  publicUrl: true,
  event: true,
  delimiter: true,
  handshakes: true,
  success: true,
};

const LIST: Names<NonNullable<HmacOptions["list"]>> = { separator: true, assign: true, tag: true };

/** By their `keyEncoding`. */
export const KEYS: Readonly<Record<string, KeyForm>> = { utf8: UTF8, hex: HEX, base64: BASE64 };

/** Throws `ConfigurationError` for what the compiler would refuse. */
export function checkHmac(options: HmacOptions): void {
  refuseUnknown("", options, NAMES);
  refuseUnknown("list.", options.list ?? {}, LIST);
  oneOf("algorithm", options.algorithm, ["sha1", "sha256", "sha384", "sha512"]);
  oneOf("encoding", options.encoding, ["hex", "base64", "base64url"]);
  oneOf("keyEncoding", options.keyEncoding, Object.keys(KEYS));
}

function oneOf(option: string, value: string | undefined, known: readonly string[]): void {
  if (value === undefined || known.includes(value)) return;
  throw new ConfigurationError(`\`${option}\` must be one of ${known.join(", ")}`);
}
