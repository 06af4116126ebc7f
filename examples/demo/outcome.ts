import type { Step } from "hookbus";
import type { Delivery, Expectation } from "./deliveries.ts";
import type { Sighting } from "./subscribers.ts";

/** What came of a delivery: the answer, hookbus's own steps, and the calls of the subscribers. */
export interface Observation {
  readonly status: number;
  readonly steps: readonly Step[];
  readonly sightings: readonly Sighting[];
}

/** The observation in the words of an expectation. */
export function summary({ status, steps, sightings }: Observation): Expectation {
  const receipt = steps.find((step) => step.name === "hookbus.receive");
  const failed = steps.filter((step) => step.name === "hookbus.deliver" && step.outcome === "failed");
  const ran = sightings.map(({ subscriber }) =>
    failed.some((step) => step.subscriber === subscriber) ? `${subscriber}!` : subscriber,
  );
  const types = [...new Set(sightings.map(({ type }) => type))];
  return {
    status,
    outcome: receipt?.outcome ?? "no receipt",
    ran,
    ...(types.length > 0 && { type: types.join(" and ") }),
    ...(ran.length === 0 && receipt?.reason !== undefined && { reason: receipt.reason }),
  };
}

/** The row of a delivery. */
export function row({ title }: Delivery, actual: Expectation): string[] {
  return [title, String(actual.status), actual.outcome, saw(actual)];
}

/** What each subscriber saw; where none ran, why. */
export function saw({ type, ran, reason }: Expectation): string {
  if (ran.length > 0) return `${type}: ${ran.map((name) => name.replace("!", " (failed)")).join(", ")}`;
  return reason === undefined ? "nobody" : `nobody: ${reason}`;
}

/** Says what is not as it must be; nothing where all is. */
export function complaint({ title, expect }: Delivery, actual: Expectation): string | undefined {
  const words = ({ status, outcome, ...rest }: Expectation): string =>
    `${status} ${outcome}, ${saw({ status, outcome, ...rest })}`;
  const [wanted, got] = [words(expect), words(actual)];
  return wanted === got ? undefined : `${title}\n  expected  ${wanted}\n  got       ${got}`;
}
