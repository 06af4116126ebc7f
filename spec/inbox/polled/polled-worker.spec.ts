import { expect } from "chai";
import { policyOf } from "../../../src/inbox/policy.ts";
import { Batch } from "../../../src/inbox/polled/batch.ts";
import { PolledWorker } from "../../../src/inbox/polled/polled-worker.ts";
import type { Change, RecordStore } from "../../../src/inbox/polled/record-store.ts";
import type { LeasedRecord } from "../../../src/inbox/record.ts";
import { deferred } from "../../receiver/harness.ts";
import { FakeClock, settle } from "../../support/clock.ts";
import { aRecord, DONE, ScriptedBus } from "../scripted-bus.ts";

/** The same record, leased for another attempt. */
function leased(record: ReturnType<typeof aRecord>, attempt: number): LeasedRecord {
  return {
    ...record,
    lease: { key: record.key, fence: String(attempt) },
    attempt,
    attemptsLeft: 10,
    done: [],
    rejected: false,
    only: undefined,
    wasDone: false,
    replayed: false,
  };
}

describe("a worker that polls", () => {
  it("does not begin anew what it leases again while the end of it is refused under the old lease", async () => {
    const clock = new FakeClock();
    const record = aRecord("shop");
    const leases = [deferred<LeasedRecord[]>(), deferred<LeasedRecord[]>()];
    let asked = 0;
    let fence = "1";
    const ends: Change[] = [];
    const store = {
      lease: () => leases[asked++]?.promise ?? Promise.resolve([]),
      extend: () => Promise.resolve([]),
    } as unknown as RecordStore;
    const writes = new Batch<Change, boolean>({
      flush: (changes) => {
        ends.push(...changes);
        return changes.map(({ lease }) => lease.fence === fence);
      },
      most: 10,
      flights: 1,
      timeoutMs: 60_000,
      clock,
    });
    const gate = deferred<void>();
    const bus = new ScriptedBus("shop", async () => {
      await gate.promise;
      return DONE;
    });
    const worker = new PolledWorker({
      bus,
      store,
      writes,
      policy: policyOf({}),
      clock,
      concurrency: 5,
      pollMs: 1_000,
    });
    leases[0]?.resolve([leased(record, 1)]);
    await settle();
    await clock.advance(1_000);
    expect(asked).to.equal(2);

    // The store has given the record to this worker again, whose lease was over, and the answer is on its way.
    fence = "2";
    gate.resolve();
    for (let turn = 0; turn < 5; turn += 1) await settle();
    expect(ends.map(({ lease }) => lease.fence)).to.deep.equal(["1"]);
    leases[1]?.resolve([leased(record, 2)]);
    for (let turn = 0; turn < 5; turn += 1) await settle();

    expect(bus.deliveries).to.have.length(1);
    expect(ends.map(({ kind, lease }) => `${kind} ${lease.fence}`)).to.deep.equal(["end 1", "end 2"]);
    await worker.close({ graceMs: 0 });
  });
});
