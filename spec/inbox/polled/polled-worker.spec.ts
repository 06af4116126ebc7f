import { expect } from "chai";
import { StaleTokenError } from "../../../src/errors.ts";
import type { Run } from "../../../src/inbox/inbox.ts";
import { policyOf } from "../../../src/inbox/policy.ts";
import { Batch } from "../../../src/inbox/polled/batch.ts";
import { MemoryRecords } from "../../../src/inbox/polled/memory-records.ts";
import { PolledWorker } from "../../../src/inbox/polled/polled-worker.ts";
import type { Change, RecordStore } from "../../../src/inbox/polled/record-store.ts";
import type { Lease, LeasedRecord } from "../../../src/inbox/record.ts";
import { type Deferred, deferred } from "../../receiver/harness.ts";
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
  readonly lease: RecordStore["lease"];
  readonly extend?: RecordStore["extend"];
  readonly flush?: (changes: readonly Change[]) => boolean[];
  readonly bus?: ScriptedBus;
}

/** A worker at a store that knows how to lease and to extend, and how to write what `flush` is told. */
function aWorker({
  clock,
  lease,
  extend = () => Promise.resolve([]),
  flush = () => [],
  bus = new ScriptedBus("shop", () => DONE),
}: Setting): PolledWorker {
  const writes = new Batch<Change, boolean>({ flush, most: 10, flights: 1, timeoutMs: 60_000, clock });
  return new PolledWorker({
    bus,
    store: { lease, extend },
    writes,
    policy: policyOf({}),
    clock,
    concurrency: 5,
    pollMs: 1_000,
  });
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

  describe("whose heartbeats are slow", () => {
    const { leaseMs } = policyOf({});

    /** A worker that holds these records, whose subscribers run until it is let go, and whose heartbeats the spec answers. */
    const holding = async (clock: FakeClock, batches: LeasedRecord[][]) => {
      const gate = deferred<void>();
      const runs: Run[] = [];
      const bus = new ScriptedBus("shop", async (_record, run) => {
        runs.push(run);
        await gate.promise;
        return DONE;
      });
      const beats: { readonly at: number; readonly leases: readonly Lease[]; readonly answer: Deferred<Lease[]> }[] =
        [];
      const start = clock.now();
      const worker = aWorker({
        clock,
        bus,
        lease: () => Promise.resolve(batches.shift() ?? []),
        extend: (leases) => {
          const answer = deferred<Lease[]>();
          beats.push({ at: clock.now() - start, leases, answer });
          return answer.promise;
        },
        flush: (changes) => changes.map(() => true),
      });
      await settle();
      return { worker, bus, runs, beats, gate };
    };

    it("sends them three times a lease all the same", async () => {
      const clock = new FakeClock();
      const { worker, beats, bus } = await holding(clock, [[leased(aRecord("shop"), 1)]]);
      await clock.advance(2 * leaseMs);
      expect(beats.map(({ at }) => at)).to.deep.equal([1, 2, 3, 4, 5, 6].map((beat) => (beat * leaseMs) / 3));
      expect(clock.pending, "the next look and the heartbeat").to.equal(2);
      expect(bus.troubles).to.deep.equal([]);
      await worker.close({ graceMs: 0 });
      expect(clock.pending).to.equal(0);
    });

    it("keeps its lease when one is never answered: no other worker begins beside it", async () => {
      const clock = new FakeClock();
      const records = new MemoryRecords(policyOf({}), clock);
      records.insert([[aRecord("shop")]]);
      const gate = deferred<void>();
      const first = new ScriptedBus("shop", async () => {
        await gate.promise;
        return DONE;
      });
      const second = new ScriptedBus("shop");
      let beats = 0;
      const lease: RecordStore["lease"] = (request) => records.lease(request);
      const flush = (changes: readonly Change[]) => [...records.write(changes)];
      const extend: RecordStore["extend"] = (leases) => {
        beats += 1;
        return beats === 1 ? new Promise(() => {}) : records.extend(leases);
      };
      const workers = [aWorker({ clock, bus: first, lease, flush, extend })];
      await settle();
      workers.push(aWorker({ clock, bus: second, lease, flush }));
      await clock.advance(3 * leaseMs);
      expect(beats).to.equal(9);
      gate.resolve();
      for (let turn = 0; turn < 5; turn += 1) await settle();
      expect([first.deliveries.length, second.deliveries.length]).to.deep.equal([1, 0]);
      expect(records.counts()).to.include({ done: 1 });
      await Promise.all(workers.map((worker) => worker.close({ graceMs: 0 })));
      expect(clock.pending).to.equal(0);
    });

    it("hears a late answer: of these records one is lost, whatever fences the others have", async () => {
      const clock = new FakeClock();
      const [one, other] = [leased(aRecord("shop"), 1), leased(aRecord("shop"), 1)];
      const { worker, beats, runs } = await holding(clock, [[one, other]]);
      await clock.advance(leaseMs / 3);
      await clock.advance(leaseMs / 3);
      beats[0]?.answer.resolve([one.lease]);
      await settle();
      expect(runs.map(({ halt }) => halt?.constructor)).to.deep.equal([StaleTokenError, undefined]);
      await worker.close({ graceMs: 0 });
    });

    it("does not take a late answer about a former lease for one about its own", async () => {
      const clock = new FakeClock();
      const record = aRecord("shop");
      const batches = [[leased(record, 1)]];
      const { worker, beats, runs, bus } = await holding(clock, batches);
      await clock.advance(leaseMs / 3);
      // Its lease ran out, and the next look gave it the record again.
      batches.push([leased(record, 2)]);
      await clock.advance(leaseMs / 3);
      expect(beats.map(({ leases }) => leases[0]?.fence)).to.deep.equal(["1", "2"]);
      beats[0]?.answer.resolve([{ key: record.key, fence: "1" }]);
      await settle();
      expect(runs.map(({ halt }) => halt)).to.deep.equal([undefined]);
      beats[1]?.answer.resolve([{ key: record.key, fence: "2" }]);
      await settle();
      expect(runs[0]?.halt).to.be.instanceOf(StaleTokenError);
      expect(bus.deliveries).to.have.length(1);
      await worker.close({ graceMs: 0 });
    });

    it("leaves no timer when it closes, and then tells nobody of late answers", async () => {
      const clock = new FakeClock();
      const { worker, beats, gate, bus } = await holding(clock, [[leased(aRecord("shop"), 1)]]);
      await clock.advance((2 * leaseMs) / 3);
      const closed = worker.close({ graceMs: 2 * leaseMs });
      await clock.advance(leaseMs);
      expect(beats, "while it waits for its subscribers").to.have.length(5);
      gate.resolve();
      await closed;
      expect(clock.pending).to.equal(0);
      beats[0]?.answer.reject(new Error("the pool has ended"));
      beats[1]?.answer.resolve(beats[1].leases.slice());
      beats[2]?.answer.resolve([]);
      await clock.advance(leaseMs);
      expect(bus.troubles).to.deep.equal([]);
      expect(clock.pending).to.equal(0);
      expect(beats).to.have.length(5);
    });

    it("tells the operator of one that fails late, while it works", async () => {
      const clock = new FakeClock();
      const { worker, beats, bus } = await holding(clock, [[leased(aRecord("shop"), 1)]]);
      await clock.advance((2 * leaseMs) / 3);
      const error = new Error("slow");
      beats[0]?.answer.reject(error);
      await settle();
      expect(bus.troubles).to.deep.equal([error]);
      await worker.close({ graceMs: 0 });
    });
  });
});
