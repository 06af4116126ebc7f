import type { SigningKey, VerifyOptions } from "../providers/provider.ts";

/**
 * The terms on which a signature is accepted.
 *
 * A class, since tolerances are small whole numbers for one bus and infinite for the next: of literals with the same fields,
 * V8 would give up the first kind for another then, and leave what has read them uncompiled, which costs a microsecond a
 * delivery from there on.
 */
export class Terms implements VerifyOptions {
  readonly keys: readonly SigningKey[];
  readonly now: number;
  readonly toleranceSeconds: number;

  constructor(keys: readonly SigningKey[], now: number, toleranceSeconds: number) {
    this.keys = keys;
    this.now = now;
    this.toleranceSeconds = toleranceSeconds;
  }
}
