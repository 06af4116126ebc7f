import type { Bus } from "../bus/bus.ts";
import { ConfigurationError } from "../errors.ts";

/** The key that events are retrieved with. Throws `ConfigurationError` where none is set. */
export function apiKeyOf({ apiKey, name }: Pick<Bus, "apiKey" | "name">): string {
  if (apiKey === undefined) throw new ConfigurationError(`the bus "${name}" needs an \`apiKey\` to retrieve events`);
  return apiKey;
}
