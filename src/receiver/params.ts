import { PayloadError } from "../errors.ts";

/** The posted body as an object, which alone can name an event to fetch back. */
export function paramsOf(payload: unknown): Readonly<Record<string, unknown>> {
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) {
    throw new PayloadError("the body is not a JSON object");
  }
  return payload as Readonly<Record<string, unknown>>;
}
