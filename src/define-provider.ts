export { defineProvider } from "./providers/define-provider.ts";
export type {
  Envelope,
  EventMap,
  FetchOptions,
  Handshakes,
  Provider,
  ProviderResponse,
  ReadContext,
  Retrieval,
  SchemeSummary,
  SecretForm,
  SecretSetting,
  SignedDelivery,
  SigningKey,
  SignOptions,
  Verification,
  VerifyOptions,
  WebhookRequest,
} from "./providers/provider.ts";
export type { EventDescription, Place, ProviderDescription } from "./providers/provider-description.ts";
export type { AlgorithmName } from "./providers/schemes/algorithms.ts";
export type { Content, SignedValues } from "./providers/schemes/content.ts";
export type { Encoding } from "./providers/schemes/encoding.ts";
export { parseForm, parseJsonOrForm } from "./providers/schemes/form.ts";
export type { HeaderName } from "./providers/schemes/header-list.ts";
export {
  BASE64,
  ED25519_HEX,
  HEX,
  type KeyForm,
  RSA_PRIVATE,
  RSA_PUBLIC,
  SPKI_BASE64,
  UTF8,
  WHPK,
  WHSEC,
} from "./providers/schemes/key-forms.ts";
export type { Scheme, SecretKinds, SignatureDescription, SignatureKind } from "./providers/schemes/signature.ts";
