import { parseArgs } from "node:util";

const INBOXES = ["sqlite", "postgres", "redis"] as const;
export type InboxName = (typeof INBOXES)[number];

const FAULTS = ["ack-early", "no-fence", "mark-outside"] as const;
export type Fault = (typeof FAULTS)[number];

export interface Options {
  readonly inbox: InboxName;
  readonly events: number;
  readonly kills: number;
  readonly seed: number;
  /** A fault that is planted on purpose, to see whether the soak finds it. */
  readonly fault: Fault | undefined;
  /** After so many seconds the run is given up. */
  readonly deadlineSeconds: number;
  /** Whether the folder with the journal, the log and the database stays. */
  readonly keep: boolean;
}

export const USAGE = `npm run soak -- --inbox ${INBOXES.join("|")} [--events N] [--kills K] [--seed S] [--deadline SECONDS] [--keep] [--break ${FAULTS.join("|")}]`;

/** What was asked for cannot be done: the message says why. */
export class UsageError extends Error {}

/** Throws `UsageError`. */
export function optionsOf(args: readonly string[]): Options {
  const values = parsed(args);
  const inbox = INBOXES.find((name) => name === values.inbox);
  if (!inbox) throw new UsageError(`--inbox must be one of ${INBOXES.join(", ")}`);
  const fault = FAULTS.find((name) => name === values.break);
  if (values.break !== undefined && !fault) throw new UsageError(`--break must be one of ${FAULTS.join(", ")}`);
  if (inbox === "redis" && fault && fault !== "ack-early") {
    throw new UsageError(
      `--break ${fault} does not apply to redis: it breaks transactions, and an inbox on Redis has none`,
    );
  }
  const events = whole("events", values.events, 1);
  const kills = whole("kills", values.kills, 0);
  return {
    inbox,
    events,
    kills,
    seed: whole("seed", values.seed, 0),
    fault,
    deadlineSeconds: whole("deadline", values.deadline ?? String(enoughSeconds(events, kills)), 1),
    keep: values.keep,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        inbox: { type: "string" },
        events: { type: "string", default: "1000" },
        kills: { type: "string", default: "20" },
        seed: { type: "string", default: "1" },
        break: { type: "string" },
        deadline: { type: "string" },
        keep: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** Several times what a slow machine with two cores takes. */
function enoughSeconds(events: number, kills: number): number {
  return Math.ceil(180 + events * 0.3 + kills * 8);
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= 0xffff_ffff) return value;
  throw new UsageError(`--${name} must be a whole number, ${least} or more`);
}
