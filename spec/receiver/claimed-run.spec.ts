import { expect } from "chai";
import { StaleTokenError, StoreUnavailableError } from "../../src/errors.ts";
import { memoryIdempotency } from "../../src/idempotency/memory.ts";
import type { Awaitable, Claim, IdempotencyStore } from "../../src/idempotency/store.ts";
import { ClaimedRun } from "../../src/receiver/claimed-run.ts";
import { FakeClock, settle } from "../support/clock.ts";
import { anEvent, bytes, type Deferred, deferred, signed, stripeBus } from "./harness.ts";

const LEASE_MS = 30_000;
const BEAT_MS = LEASE_MS / 3;
const STALE = new StaleTokenError("another run holds the key");

const never = (): Promise<void> => new Promise(() => {});

type Claimed = Extract<Claim, { state: "claimed" }>;

/** A store on a clock whose heartbeats the spec answers, by their number; unanswered by it, they reach the store. */
function beating(clock: FakeClock, answer: (beat: number) => Awaitable<void> | undefined) {
  const inner = memoryIdempotency({ now: () => clock.now() });
  const start = clock.now();
  const beats: number[] = [];
  const store: IdempotencyStore = {
    volatile: true,
    claim: (key, options) => inner.claim(key, options),
    extend: (token, leaseMs) => {
      beats.push(clock.now() - start);
      return answer(beats.length) ?? inner.extend(token, leaseMs);
    },
    markDone: (token, subscriber) => inner.markDone(token, subscriber),
    complete: (token) => inner.complete(token),
    release: (token) => inner.release(token),
  };
  return { store, beats };
}

function claimed(clock: FakeClock, answer: (beat: number) => Awaitable<void> | undefined) {
  const { store, beats } = beating(clock, answer);
  const claim = store.claim("stripe:evt_1", { leaseMs: LEASE_MS, fingerprint: "f" }) as Claimed;
  const run = new ClaimedRun(store, claim, LEASE_MS, clock);
  return { run, beats, store };
}

describe("the heartbeat of a claim", () => {
  let clock: FakeClock;

  beforeEach(() => {
    clock = new FakeClock();
  });

  const later = (ms: number, then: () => void): Promise<void> =>
    new Promise((resolve, reject) => {
      clock.setTimeout(() => {
        try {
          then();
          resolve();
        } catch (error) {
          reject(error);
        }
      }, ms);
    });
  const fail = (): never => {
    throw new StoreUnavailableError("slow");
  };

  it("is sent three times a lease, though none was ever answered, by one timer", async () => {
    const { run, beats } = claimed(clock, never);
    expect(clock.pending).to.equal(1);
    for (let beat = 1; beat <= 6; beat += 1) {
      await clock.advance(BEAT_MS);
      expect(beats.at(-1)).to.equal(beat * BEAT_MS);
      expect(clock.pending).to.equal(1);
    }
    expect(beats).to.have.length(6);
    expect(run.refusal).to.equal(undefined);
    await run.end(true);
    expect(clock.pending).to.equal(0);
  });

  for (const [title, slow] of [
    ["is never answered", never],
    ["fails after 10 s", () => later(10_000, fail)],
    ["fails after 20 s", () => later(20_000, fail)],
    ["is answered after 20 s", () => later(20_000, () => {})],
    ["fails at once", () => Promise.reject(new StoreUnavailableError("lost"))],
    ["throws", fail],
  ] as const) {
    for (const which of [1, 2, 4]) {
      it(`keeps the claim when beat ${which} ${title}: the event runs once at a time`, async () => {
        const bus = stripeBus({ clock });
        const { store } = beating(clock, (beat) => (beat === which ? slow() : undefined));
        bus.idempotency = store;
        const finish = deferred();
        let runs = 0;
        bus.all(() => {
          runs += 1;
          return finish.promise;
        });
        const event = anEvent();
        const receive = () =>
          bus.receive({ method: "POST", url: "/", headers: signed(event, clock.now()), body: bytes(event) });
        const first = receive();
        await settle();
        const others: ReturnType<typeof receive>[] = [];
        for (let beat = 0; beat < 9; beat += 1) {
          await clock.advance(BEAT_MS + 1);
          others.push(receive());
          await settle();
          expect(runs).to.equal(1);
        }
        finish.resolve();
        expect(await first).to.include({ status: 200, outcome: "handled" });
        for (const other of others) expect(await other).to.include({ status: 409, outcome: "duplicate" });
        expect(await receive()).to.include({ status: 200, outcome: "duplicate" });
        expect(clock.pending).to.equal(0);
      });
    }
  }

  it("refuses the claim for good when a late answer says that it is lost, and is sent no more", async () => {
    const first = deferred();
    const { run, beats } = claimed(clock, (beat) => (beat === 1 ? first.promise : never()));
    await clock.advance(2 * BEAT_MS);
    expect(run.halt).to.equal(undefined);
    first.reject(STALE);
    await settle();
    expect(run.refusal).to.equal(STALE);
    expect(run.halt).to.equal(STALE);
    expect(clock.pending).to.equal(0);
    await clock.advance(LEASE_MS);
    expect(beats).to.have.length(2);
  });

  it("is sent no more when the store throws that the claim is lost", async () => {
    const { run, beats } = claimed(clock, () => {
      throw STALE;
    });
    await clock.advance(LEASE_MS);
    expect(run.halt).to.equal(STALE);
    expect(beats).to.have.length(1);
    expect(clock.pending).to.equal(0);
  });

  it("goes on when late answers say anything else", async () => {
    const answers: Deferred<void>[] = [];
    const { run, beats } = claimed(clock, () => {
      const answer = deferred();
      answers.push(answer);
      return answer.promise;
    });
    await clock.advance(3 * BEAT_MS);
    answers[2]?.resolve();
    answers[0]?.reject(new StoreUnavailableError("slow"));
    answers[1]?.reject(new Error("mine"));
    await settle();
    expect(run.refusal).to.equal(undefined);
    expect(clock.pending).to.equal(1);
    await clock.advance(BEAT_MS);
    expect(beats).to.have.length(4);
  });

  describe("that is answered when the run is over", () => {
    for (const done of [true, false]) {
      for (const [title, answer] of [
        ["well", (beat: Deferred<void>) => beat.resolve()],
        ["badly", (beat: Deferred<void>) => beat.reject(new StoreUnavailableError("slow"))],
        ["that the claim is over, which it is", (beat: Deferred<void>) => beat.reject(STALE)],
      ] as const) {
        it(`${title}, changes nothing: ${done ? "completed" : "given back"}`, async () => {
          const beat = deferred();
          const { run, beats, store } = claimed(clock, () => beat.promise);
          // The store hears of the end before it gets to the beat, and both answers are on their way at once.
          const told = deferred();
          const verb = done ? "complete" : "release";
          const end = store[verb];
          store[verb] = async (token) => {
            await end(token);
            await told.promise;
          };
          await clock.advance(BEAT_MS);
          const ended = run.end(done);
          expect(clock.pending).to.equal(0);
          answer(beat);
          await settle();
          told.resolve();
          await ended;
          expect(run.refusal).to.equal(undefined);
          await clock.advance(LEASE_MS);
          expect(beats).to.have.length(1);
          expect(clock.pending).to.equal(0);
        });
      }
    }
  });
});
