import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
import type { SigningKey } from "../provider.ts";

/** What an HMAC is taken over: the text `prefix`, then the raw body. */
export interface HmacInput {
  readonly algorithm: "sha1" | "sha256" | "sha512";
  readonly prefix: string;
  readonly body: Uint8Array;
}

/**
 * The HMAC of prefix and body. The two are fed one after the other: a concatenated string would copy the body, and
 * decode it, which breaks bytes that are not UTF-8.
 */
export function hmac(key: KeyObject, input: HmacInput): Buffer {
  return createHmac(input.algorithm, key).update(input.prefix).update(input.body).digest();
}

/** Compares in constant time; unequal lengths, which `timingSafeEqual` throws on, are unequal. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.byteLength === right.byteLength && timingSafeEqual(left, right);
}

/**
 * The first key under which one of the candidates is the HMAC, or `undefined`.
 *
 * Every key is tried with every candidate, in one order, whatever matches: the time taken tells nothing.
 */
export function matchHmac(
  keys: readonly SigningKey[],
  candidates: readonly Uint8Array[],
  input: HmacInput,
): SigningKey | undefined {
  let matched: SigningKey | undefined;
  for (const key of keys) {
    const digest = hmac(key.key, input);
    for (const candidate of candidates) {
      if (sameBytes(digest, candidate)) matched ??= key;
    }
  }
  return matched;
}
