import { type Names, refuseUnknown } from "../known-options.ts";
import type { InboxBus, ReplayOptions, WorkOptions } from "./inbox.ts";
import { assertWhole } from "./policy.ts";

const WORK: Names<Required<WorkOptions>> = { concurrency: true, pollMs: true };
const REPLAY: Names<Required<ReplayOptions>> = { subscribers: true, dryRun: true };

/** Throws `TypeError` for what is no bus, `ConfigurationError` for options that cannot be meant. */
export function assertWork(bus: InboxBus, options: WorkOptions): void {
  refuseUnknown("", options, WORK);
  if (options.concurrency !== undefined) assertWhole("concurrency", options.concurrency);
  if (options.pollMs !== undefined) assertWhole("pollMs", options.pollMs);
  if (typeof bus?.deliver !== "function") throw new TypeError("`bus` must be an EventBus");
}

/** Throws `TypeError` for what names no records. */
export function assertTarget(target: unknown): void {
  if (typeof target === "string" || (typeof target === "object" && target !== null)) return;
  throw new TypeError("`target` must be the key of a record, or a query: all is {}");
}

/** Throws `TypeError` for what names no records, `ConfigurationError` for options that cannot be meant. */
export function assertReplay(target: unknown, options: ReplayOptions): void {
  assertTarget(target);
  // With a `dryRun` that was misspelt, everything would run again.
  refuseUnknown("", options, REPLAY);
}
