/** `true` where two types are the same to the compiler, and not merely assignable to one another. */
export type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only for `true`: `assert<Equals<A, B>>()`. */
export function assert<_Holds extends true>(): void {}
