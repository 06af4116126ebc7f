import { PayloadError } from "../errors.ts";
import { isRecord } from "../providers/schemes/json.ts";

/** The posted body as an object, which alone can name an event to fetch back. */
export function paramsOf(payload: unknown): Readonly<Record<string, unknown>> {
  if (!isRecord(payload)) throw new PayloadError("the body is not a JSON object");
  return payload;
}
