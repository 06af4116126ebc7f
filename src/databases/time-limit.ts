import { ConfigurationError, StoreUnavailableError } from "../errors.ts";

/** Settles as `promise` does, or rejects with `StoreUnavailableError` where that takes longer than `limitMs`. */
export async function timeLimit<T>(promise: Promise<T>, limitMs: number, server: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new StoreUnavailableError(`${server} did not answer within ${limitMs} ms`)),
      limitMs,
    );
    // Whoever waits for the answer has a socket open; the limit alone keeps no process alive.
    timer.unref();
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Throws `ConfigurationError` unless `value` is a whole number above zero, and none where it is left out. */
export function assertCount(name: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return;
  throw new ConfigurationError(`\`${name}\` must be a whole number above zero`);
}
