import { headerValue } from "../providers/schemes/header.ts";
import type { RequestHeaders } from "./request.ts";

/** Credentials of the sender's, or of somebody between: no signature is made with them. */
const NEVER_KEPT = new Set(["cookie", "proxy-authorization"]);

/**
 * Watches which header fields are looked at, so that those can be kept that a verification needs again, and no others:
 * an `authorization` that only opens the endpoint, say, is not written to disk.
 */
export class ReadHeaders {
  /** The headers, to be read in place of the original ones. */
  readonly view: RequestHeaders;
  readonly #original: RequestHeaders;
  readonly #read = new Set<string>();

  constructor(headers: RequestHeaders) {
    this.#original = headers;
    this.view = new Proxy(headers, {
      get: (target, name, receiver) => {
        if (typeof name === "string" && Object.hasOwn(target, name)) this.#read.add(name.toLowerCase());
        return Reflect.get(target, name, receiver);
      },
    });
  }

  /** The fields that were looked at, by their names in lower case. */
  kept(): Record<string, string> {
    const kept: Record<string, string> = {};
    for (const name of this.#read) {
      const value = NEVER_KEPT.has(name) ? undefined : headerValue(this.#original, name);
      if (value !== undefined) kept[name] = value;
    }
    return kept;
  }
}
