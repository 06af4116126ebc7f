import { systemClock } from "../clock.ts";
import type { Inbox, InboxOptions, OrderOptions } from "./inbox.ts";
import { policyOf } from "./policy.ts";
import { MemoryRecords } from "./polled/memory-records.ts";
import { PolledInbox } from "./polled/polled-inbox.ts";

export interface MemoryInboxOptions extends Omit<InboxOptions, "allowVolatile">, OrderOptions {}

/**
 * An inbox in the memory of this process, for specs: it works as the others do and loses everything with the process.
 *
 * Throws `ConfigurationError` for an option that cannot be meant.
 */
export function memoryInbox(options: MemoryInboxOptions = {}): Inbox {
  const policy = policyOf(options);
  const store = new MemoryRecords(policy, options.clock ?? systemClock);
  return new PolledInbox({ store, policy, options, group: { most: 64, flights: 1 } });
}
