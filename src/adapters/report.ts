import { describeError, type Logger } from "../bus/logger.ts";

/** Writes to the operator's log. A logger that throws loses its line, never a request or the process. */
export function report(logger: Logger, message: string, fields: object): void {
  try {
    logger.error(message, fields);
  } catch {
    // There is nowhere left to say it.
  }
}

/** Logs a fault that none of the pipeline's own answers foresees. */
export function reportFault(logger: Logger, error: unknown): void {
  report(logger, "a delivery could not be answered", describeError(error));
}
