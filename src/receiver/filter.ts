import type { Bus } from "../bus/bus.ts";
import type { DeliveryFacts } from "../bus/context.ts";
import type { EventFilter } from "../bus/extension-points.ts";
import { ConfigurationError } from "../errors.ts";

/** An event on its way to its subscribers. */
export interface Passed {
  readonly event: unknown;
  readonly facts: DeliveryFacts;
}

/**
 * The event as `eventFilter` lets it pass; null when it ignores it. An event that the filter puts in the place of
 * another goes to the subscribers of its own type; what makes it a duplicate stays with the event that was delivered.
 * A promise only where there is a filter.
 */
export function filtered(bus: Bus, event: unknown, facts: DeliveryFacts): Passed | Promise<Passed | null> {
  return bus.eventFilter ? passedBy(bus.eventFilter, event, facts) : { event, facts };
}

async function passedBy(filter: EventFilter<unknown>, event: unknown, facts: DeliveryFacts): Promise<Passed | null> {
  const passed: unknown = await filter(event, facts);
  if (passed === null) return null;
  if (passed === undefined) {
    throw new ConfigurationError("`eventFilter` returned undefined: return the event, or null to ignore it");
  }
  if (passed === event) return { event, facts };
  if (typeof passed !== "object" || !("type" in passed) || typeof passed.type !== "string") {
    throw new ConfigurationError("`eventFilter` returned what is no event: return an object with a `type`, or null");
  }
  return { event: passed, facts: { ...facts, type: passed.type } };
}
