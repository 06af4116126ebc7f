import type { RequestHeaders, WebhookRequest } from "../providers/provider.ts";

export type { RequestHeaders, WebhookRequest };

/** A delivery whose body is still on the socket: what an adapter knows before it reads. */
export interface RequestHead {
  readonly method: string;
  readonly url: string;
  /** The path within the mount point, where a framework has one; default: the path of `url`. */
  readonly path?: string | undefined;
  readonly headers: RequestHeaders;
  readonly ip?: string | undefined;
}

/**
 * Reads the raw body, once, up to `maxBytes`; a promise only where it has to wait. Fails with `BodyTooLargeError`, `BodyTimeoutError`,
 * `RequestAbortedError` or `RawBodyUnavailableError`.
 */
export type BodyReader = (maxBytes: number) => Uint8Array | Promise<Uint8Array>;

/** What one mount point of a bus adds to it. */
export interface Mount {
  /** Patterns of the only types delivered here; others are acknowledged and ignored. */
  readonly types?: readonly string[] | undefined;
}
