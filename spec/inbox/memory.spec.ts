import { systemClock } from "../../src/clock.ts";
import type { Inbox } from "../../src/inbox/inbox.ts";
import { memoryInbox } from "../../src/inbox/memory.ts";
import { policyOf } from "../../src/inbox/policy.ts";
import { MemoryRecords } from "../../src/inbox/polled/memory-records.ts";
import { PolledInbox } from "../../src/inbox/polled/polled-inbox.ts";
import { inboxContract } from "./contract.ts";

/** The memory of one process is that of all of its inboxes here: other engines share a disk. */
let store: MemoryRecords | undefined;

inboxContract({
  name: "memoryInbox",
  ordered: true,
  open: async (options = {}): Promise<Inbox> => {
    memoryInbox(options);
    const policy = policyOf(options);
    store ??= new MemoryRecords(policy, systemClock);
    return new PolledInbox({ store, policy, options, group: { most: 64, flights: 1 } });
  },
  reset: async () => {
    store = undefined;
  },
});
