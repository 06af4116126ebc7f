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

interface Setting {
  readonly clock: FakeClock;
  readonly lease: () => Promise<LeasedRecord[]>;
  readonly flush?: (changes: readonly Change[]) => boolean[];
  readonly bus?: ScriptedBus;
}

/** A worker at a store that knows how to lease and to extend, and how to write what `flush` is told. */
function aWorker({ clock, lease, flush = () => [], bus = new ScriptedBus("shop", () => DONE) }: Setting): PolledWorker {
  const store = { lease, extend: () => Promise.resolve([]) } as unknown as RecordStore;
  const writes = new Batch<Change, boolean>({ flush, most: 10, flights: 1, timeoutMs: 60_000, clock });
  return new PolledWorker({ bus, store, writes, policy: policyOf({}), clock, concurrency: 5, pollMs: 1_000 });
}

describe("a worker that polls", () => {
  it("does not begin anew what it leases again while the end of it is refused under the old lease", async () => {
    const clock = new FakeClock();
    const record = aRecord("shop");
    const leases = [deferred<LeasedRecord[]>(), deferred<LeasedRecord[]>()];
    let asked = 0;
    let fence = "1";
    const ends: Change[] = [];
    const gate = deferred<void>();
    const bus = new ScriptedBus("shop", async () => {
      await gate.promise;
      return DONE;
    });
    const worker = aWorker({
      clock,
      bus,
      lease: () => leases[asked++]?.promise ?? Promise.resolve([]),
      flush: (changes) => {
        ends.push(...changes);
        return changes.map(({ lease }) => lease.fence === fence);
      },
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

  it("waits for no other look while it looks, and so does not look once more when that would have been due", async () => {
    const clock = new FakeClock();
    const looks = [deferred<LeasedRecord[]>(), deferred<LeasedRecord[]>()];
    let asked = 0;
    const worker = aWorker({ clock, lease: () => looks[asked++]?.promise ?? Promise.resolve([]) });
    looks[0]?.resolve([]);
    await settle();
    await clock.advance(500);
    expect(clock.pending, "the next look and the heartbeat").to.equal(2);

    // Somebody has recorded an event.
    worker.wake();
    expect(asked).to.equal(2);
    expect(clock.pending, "the heartbeat").to.equal(1);
    await clock.advance(600);
    looks[1]?.resolve([]);
    await settle();
    expect(asked).to.equal(2);
    expect(clock.pending).to.equal(2);
    await worker.close({ graceMs: 0 });
  });
});
