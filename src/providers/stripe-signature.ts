import { decodeHex } from "./schemes/encoding.ts";
import { parseSeconds } from "./schemes/timestamp.ts";

/** Room for sixty signatures; Stripe sends one, two while a secret is rolled, and one more in test mode. */
const MAX_HEADER_LENGTH = 4096;

const SHA256_BYTES = 32;

/** What a `Stripe-Signature` header says. */
export interface StripeSignature {
  /** The timestamp as it was written, which is what was signed. */
  readonly prefix: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  /** The `v1` signatures that can be one; the others match nothing. */
  readonly candidates: readonly Buffer[];
}

/**
 * Reads `t=1492774577,v1=5257a8…,v1=…,v0=…`.
 *
 * Items are not trimmed, as in stripe-node: ` v1` is a scheme that nobody knows. A second `t` is refused even when it
 * has a space before it, because that is how two headers look once they are joined: which of the two was signed?
 * Only `v1` counts: `v0` comes in test mode and is no proof of anything.
 */
export function parseStripeSignature(header: string): StripeSignature | "malformed_header" | "no_expected_scheme" {
  if (header.length > MAX_HEADER_LENGTH) return "malformed_header";
  let timestamps = 0;
  let timestampText: string | undefined;
  let hasV1 = false;
  const candidates: Buffer[] = [];
  for (const item of header.split(",")) {
    const [name, value] = splitItem(item);
    if (name === "v1") {
      hasV1 = true;
      const candidate = decodeHex(value, SHA256_BYTES);
      if (candidate) candidates.push(candidate);
    } else if (name.trim() === "t") {
      timestamps++;
      if (name === "t") timestampText = value;
    }
  }
  const timestamp = parseSeconds(timestampText);
  if (timestamps > 1 || timestamp === undefined) return "malformed_header";
  if (!hasV1) return "no_expected_scheme";
  return { prefix: `${timestampText}.`, timestamp, candidates };
}

/** Splits at the first `=`; an item without one has an empty value. */
function splitItem(item: string): [name: string, value: string] {
  const split = item.indexOf("=");
  return split < 0 ? [item, ""] : [item.slice(0, split), item.slice(split + 1)];
}
