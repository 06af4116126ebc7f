import { LRUCache } from "lru-cache";
import { describeError, isOne, type Logger, writeLine } from "../bus/logger.ts";
import type { Step } from "../bus/steps.ts";
import { DispatchError, HookbusError } from "../errors.ts";

/** What anybody can cause is written once in this time for each reason: a flood of forgeries is no flood of logs. */
const QUIET_MS = 10_000;

/** Steps of one kind, of which one was written. */
interface Quiet {
  readonly outcome: string;
  readonly word: string | undefined;
  /** Until when no other is. */
  readonly until: number;
  /** How many have come since. */
  left: number;
}

/**
 * Writes what the operator should know of hookbus's steps: refusals and failures with their reason, and with what
 * hookbus says of them. Told of steps as their listeners are; it sees no payload, secret or signature, and of what a subscriber
 * threw it tells the class alone.
 */
export function logSteps(logger: () => Logger, now: () => number): (step: Step) => void {
  let quiet: LRUCache<string, Quiet> | undefined;
  /** What came last: in a flood, it comes again. */
  let last: Quiet | undefined;

  function write(level: keyof Logger, message: string, fields: object): void {
    writeLine(logger(), level, message, fields);
  }

  function limited(level: keyof Logger, message: string, step: Step): void {
    const at = now();
    const { outcome } = step;
    const word = step.finding ?? step.reason;
    if (last?.word !== word || last?.outcome !== outcome) last = quiet?.get(`${outcome} ${word}`);
    if (last !== undefined && at < last.until) {
      last.left++;
      return;
    }
    const notLogged = last?.left;
    last = { outcome, word, until: at + QUIET_MS, left: 0 };
    quiet ??= new LRUCache({ max: 100 });
    quiet.set(`${outcome} ${word}`, last);
    write(level, message, { ...told(step), ...(notLogged ? { notLogged } : {}) });
  }

  function receipt(step: Step): void {
    if (step.outcome === "rejected") limited("warn", `hookbus: delivery refused: ${step.reason}`, step);
    else if (step.outcome === "failed") {
      // Without an id, the delivery failed before it was known to be genuine.
      if (step.id === undefined) limited("error", "hookbus: delivery failed", step);
      else write("error", "hookbus: delivery failed", told(step));
    } else if (step.reason === "busy") limited("info", "hookbus: delivery put off: its event is being handled", step);
    else if (step.reason === "other_type") {
      limited("warn", "hookbus: delivery put off: its event has failed under another type, which is unsigned", step);
    } else if (step.conflict) write("warn", "hookbus: duplicate with other data than the first", told(step));
  }

  function attempt(step: Step): void {
    if (step.outcome === "dead") {
      write("error", "hookbus: event given up: it can be replayed from the inbox", {
        ...told(step),
        attempt: step.attempt,
      });
    } else if (step.outcome === "failed" && !isOne(step.error, DispatchError)) {
      // Of subscribers that failed, each has been told of.
      write("error", "hookbus: attempt failed", { ...told(step), attempt: step.attempt });
    }
  }

  return (step) => {
    if (step.name === "hookbus.receive") receipt(step);
    else if (step.name === "hookbus.attempt") attempt(step);
    else if (step.name === "hookbus.inbox") limited("error", "hookbus: the inbox does not work", step);
    else if (step.name === "hookbus.diagnose" && step.outcome === "found") {
      limited("warn", `hookbus: why a delivery was refused: ${step.finding}`, step);
    } else if (step.name === "hookbus.deliver" && step.outcome === "failed") {
      write("error", `hookbus: subscriber "${step.subscriber}" failed`, {
        ...factsOf(step),
        ...describeError(step.error),
      });
    }
  };
}

/** hookbus's own messages quote no payload, and say what to do. */
function told(step: Step): object {
  const { error } = step;
  if (error === undefined) return factsOf(step);
  return {
    ...factsOf(step),
    ...describeError(error),
    ...(isOne(error, HookbusError) ? { message: error.message } : {}),
  };
}

function factsOf(step: Step): object {
  const facts: Record<string, unknown> = { bus: step.bus };
  for (const field of ["status", "reason", "finding", "hint", "id", "type", "verifiedBy"] as const) {
    if (step[field] !== undefined) facts[field] = step[field];
  }
  return facts;
}
