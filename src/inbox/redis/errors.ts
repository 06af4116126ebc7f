import { HookbusError, StoreUnavailableError } from "../../errors.ts";

/**
 * What Redis or its client failed with, fit for a log: ioredis hangs the whole command on its errors, and with it the body
 * of a delivery; Redis itself quotes what it cannot read.
 */
export function fitForLogs(error: unknown): Error {
  const { name, message } = (error ?? {}) as { readonly name?: unknown; readonly message?: unknown };
  const [told] = String(message ?? error).split(/,? with args/i);
  const fit = new Error(told);
  fit.name = typeof name === "string" ? name : "Error";
  return fit;
}

/** Whatever the engine fails with, it has not answered; what is hookbus's own is told as it is. */
export function unanswered(error: unknown): HookbusError {
  if (error instanceof HookbusError) return error;
  return new StoreUnavailableError("Redis did not answer as it should: nothing is acknowledged", {
    cause: fitForLogs(error),
  });
}

/** Whether BullMQ refused to move a job because another worker has it by now, or nobody. */
export function isRefusal(error: unknown): boolean {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === "number" && code < 0;
}
