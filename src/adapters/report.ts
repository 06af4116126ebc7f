import { describeError, type Logger, writeLine } from "../bus/logger.ts";

/** Writes to the operator's log. */
export function report(logger: Logger, message: string, fields: object): void {
  writeLine(logger, "error", message, fields);
}

/** Logs a fault that none of the pipeline's own answers foresees. */
export function reportFault(logger: Logger, error: unknown): void {
  report(logger, "a delivery could not be answered", describeError(error));
}
