import type { Step } from "hookbus";
import type { Delivery, Expectation } from "./deliveries.ts";
import type { News } from "./news.ts";

/** What came of a delivery: the answer, the receiver's step, and what its worker told. */
export interface Observation {
  readonly status: number;
  readonly receipt: Step | undefined;
  readonly news: readonly (News | { readonly kind: "killed" })[];
}

/** The observation in the words of an expectation. */
export function summary({ status, receipt, news }: Observation): Expectation {
  const ran: string[] = [];
  const types = new Set<string>();
  for (const each of news) {
    if (each.kind === "saw") {
      ran.push(each.subscriber);
      types.add(each.type);
    } else if (each.kind === "failed") note(ran, ran.lastIndexOf(each.subscriber), "!");
    // Whoever ran last, ran when it happened.
    else if (each.kind === "killed") note(ran, ran.length - 1, "†");
  }
  return {
    status,
    outcome: receipt?.outcome ?? "no receipt",
    ran,
    ...(types.size > 0 && { type: [...types].join(" and ") }),
    ...(ran.length === 0 && receipt?.reason !== undefined && { reason: receipt.reason }),
  };
}

function note(ran: string[], place: number, sign: string): void {
  if (ran[place] !== undefined) ran[place] += sign;
}

/** The row of a delivery. */
export function row({ title }: Delivery, actual: Expectation): string[] {
  return [title, String(actual.status), actual.outcome, saw(actual)];
}

/** What each subscriber saw, `!` when it failed and `†` when it was killed; where none ran, why. */
export function saw({ type, ran, reason }: Expectation): string {
  if (ran.length > 0) return `${type}: ${ran.join(", ")}`;
  return reason === undefined ? "nobody" : `nobody: ${reason}`;
}

/** Says what is not as it must be; nothing where all is. */
export function complaint({ title, expect }: Delivery, actual: Expectation): string | undefined {
  const words = ({ status, outcome, ...rest }: Expectation): string =>
    `${status} ${outcome}, ${saw({ status, outcome, ...rest })}`;
  const [wanted, got] = [words(expect), words(actual)];
  return wanted === got ? undefined : `${title}\n  expected  ${wanted}\n  got       ${got}`;
}
