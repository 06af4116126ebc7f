import type {
  SchemeSummary,
  SecretForm,
  SecretSetting,
  SignOptions,
  Verification,
  VerifyOptions,
  WebhookRequest,
} from "../provider.ts";
import type { AlgorithmName } from "./algorithms.ts";
import type { Content } from "./content.ts";
import type { Encoding } from "./encoding.ts";
import type { HeaderName } from "./header-list.ts";
import type { KeyForm } from "./key-forms.ts";
import type { TimestampUnit } from "./timestamp.ts";

/** How signatures of one kind are made, and what they are checked with. */
export interface SignatureKind {
  readonly algorithm: AlgorithmName;
  readonly encoding: Encoding;
  readonly key: KeyForm;
  /** In a header that lists several signatures, the name that those of this kind have: `v1`. */
  readonly tag?: string;
  /** What ties a key to this kind; default: the tag, else the algorithm. Unique within the description. */
  readonly scheme?: string;
  /** What a secret for this kind begins with, where a setting takes secrets of several kinds: any of these. */
  readonly secretPrefix?: string | readonly string[];
}

/** A signature scheme, said as data. */
export interface SignatureDescription {
  readonly header: HeaderName;
  /** What stands before the signature: `sha256=`. */
  readonly prefix?: string;
  /** A header that lists several: `t=…,v1=…` is `{ separator: ",", assign: "=" }`. */
  readonly list?: { readonly separator: string; readonly assign: string };
  /** A template over `{body}`, `{timestamp}`, `{id}`, `{url}`, `{method}`; default: the body alone. */
  readonly content?: string | Content;
  readonly timestamp?: {
    /** Where it is: a header, or an item of the list. */
    readonly header?: HeaderName;
    readonly item?: string;
    readonly unit?: TimestampUnit;
    /** Either way, inclusive; default 300. Infinity: the timestamp is signed, and nobody asks how old it is. */
    readonly toleranceSeconds?: number;
    /** Checked before the signature, where the provider's libraries do so; default: after it. */
    readonly first?: boolean;
  };
  /** The header of an id that is signed. */
  readonly id?: HeaderName;
  /** The endpoint's public URL, where the scheme signs it and a proxy changes it. */
  readonly publicUrl?: string | undefined;
  /** The kinds of each setting that holds secrets. */
  readonly secrets: Readonly<Partial<Record<SecretSetting, SecretKinds>>>;
}

export interface SecretKinds {
  readonly kinds: readonly [SignatureKind, ...SignatureKind[]];
  /** Whether the setting takes several secrets; default true. */
  readonly several?: boolean;
  readonly objection?: SecretForm["objection"];
}

/** Verifies and signs; the part of a provider that is about trust. */
export interface Scheme {
  readonly summary: SchemeSummary;
  readonly secrets: Readonly<Partial<Record<SecretSetting, SecretForm>>>;
  readonly toleranceSeconds: number;
  verify(request: WebhookRequest, options: VerifyOptions): Verification | Promise<Verification>;
  sign(body: Uint8Array | string, options: SignOptions): Record<string, string>;
}
