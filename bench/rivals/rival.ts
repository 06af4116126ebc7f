import type { Delivery } from "../deliveries/delivery.ts";
import type { Pool } from "../deliveries/pool.ts";
import type { Work } from "../method/slice.ts";

/** Another package that verifies a delivery and gives the event. */
export interface Rival {
  readonly name: string;
  readonly async: boolean;
  /** Whether it refuses a delivery that was signed long ago. */
  readonly refusesStale: boolean;
  /** Verifies and parses, starting from the bytes; throws or rejects where it refuses. */
  take(delivery: Delivery): unknown;
}

/** Sets a package up as an application does that has these secrets. */
export type MakeRival = (secrets: readonly string[]) => Rival;

/** As whoever has several secrets writes it, where a package knows one: the first that does not throw. */
export function trying<S, T>(secrets: readonly S[], take: (secret: S) => T): T {
  let failure: unknown;
  for (const secret of secrets) {
    try {
      return take(secret);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** The same where a package answers by a promise. */
export async function tryingOneByOne<S, T>(secrets: readonly S[], take: (secret: S) => Promise<T>): Promise<T> {
  let failure: unknown;
  for (const secret of secrets) {
    try {
      return await take(secret);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** Where results go, so that no compiler finds them unused. */
export const sink: { last: unknown } = { last: undefined };

/** Timed while it takes deliveries that are good. */
export function taking(rival: Rival, pool: Pool): Work {
  const { name, async } = rival;
  if (async) return { name, async, one: () => rival.take(pool.next()) };
  return {
    name,
    async,
    one() {
      sink.last = rival.take(pool.next());
    },
  };
}

/** Timed while it refuses deliveries that are not. */
export function refusing(rival: Rival, pool: Pool): Work {
  let refused = 0;
  const accepted = (): void => undefined;
  const refuse = (): void => {
    refused += 1;
  };
  return {
    name: rival.name,
    async: rival.async,
    before() {
      refused = 0;
    },
    one: rival.async
      ? () => (rival.take(pool.next()) as Promise<unknown>).then(accepted, refuse)
      : () => {
          try {
            sink.last = rival.take(pool.next());
          } catch {
            refused += 1;
          }
        },
    after(calls) {
      if (refused !== calls) throw new Error(`${rival.name} refused ${refused} of ${calls} bad deliveries`);
    },
  };
}

/** Throws unless the rival does what it is timed at: takes what is good, refuses what is not. */
export async function assertVerifies(rival: Rival, good: Delivery, forged: Delivery): Promise<void> {
  await rival.take(good);
  let refused = false;
  try {
    await rival.take(forged);
  } catch {
    refused = true;
  }
  if (!refused) throw new Error(`${rival.name} took a forged delivery`);
}
