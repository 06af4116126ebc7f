/** Whether `value` is a promise, of whatever make: what `await` waits for, functions that have a `then` too. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== "object" || value === null) && typeof value !== "function") return false;
  return "then" in value && typeof value.then === "function";
}
