import type { SignOptions } from "./provider.ts";

/** A provider whose signature is a part of the body, so that `sign` has no header to make. */
export interface SignsBody {
  /**
   * The body of a genuine delivery: of Adyen, the JSON with a signature in each item; of Braintree, the form that
   * carries the XML.
   *
   * Throws `ConfigurationError` for a secret that is none, and for a body that cannot be signed.
   */
  signBody(body: Uint8Array | string, options: SignOptions): Buffer;
}
