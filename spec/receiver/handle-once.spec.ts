import { expect } from "chai";
import { ProcessError, RetryLater, StaleTokenError, StoreUnavailableError } from "../../src/errors.ts";
import { memoryIdempotency } from "../../src/idempotency/memory.ts";
import type { IdempotencyStore } from "../../src/idempotency/store.ts";
import type { Receipt } from "../../src/receiver/receipt.ts";
import { FakeClock, settle } from "../support/clock.ts";
import {
  anEvent,
  bytes,
  Closing,
  type Deferred,
  deferred,
  idsOf,
  logOf,
  RECEIVED,
  REFUSED,
  type SpecBus,
  serve,
  signed,
  stepsOf,
  stripeBus,
  type TestEvent,
} from "./harness.ts";

const LEASE_MS = 30_000;

describe("an event", () => {
  const closing = new Closing();
  afterEach(() => closing.close());

  /** Delivers without a socket, where the specs hold the clock. */
  const receive = (bus: SpecBus, event: TestEvent): Promise<Receipt> =>
    bus.receive({ method: "POST", url: "/", headers: signed(event, bus.clock.now()), body: bytes(event) });

  describe("delivered several times", () => {
    it("runs once of a hundred times at once: the others are 409 or 200", async () => {
      const bus = stripeBus();
      const [begun, finish] = [deferred(), deferred()];
      let runs = 0;
      bus.all(async () => {
        runs += 1;
        begun.resolve();
        await finish.promise;
      });
      const steps = stepsOf(bus, "hookbus.receive");
      const wire = closing.add(await serve(bus));
      const event = anEvent();
      const early = Array.from({ length: 60 }, () => wire.deliver(event));
      await begun.promise;
      const late = Array.from({ length: 40 }, () => wire.deliver(event));
      const refused = await Promise.all(late);
      finish.resolve();
      const answers = [...(await Promise.all(early)), ...refused];

      expect(runs).to.equal(1);
      for (const { headers, body } of refused) {
        expect([headers["retry-after"], body]).to.deep.equal(["5", REFUSED]);
      }
      expect(refused.map(({ status }) => status)).to.deep.equal(Array(40).fill(409));
      for (const { status } of answers) expect(status).to.be.oneOf([200, 409]);
      const outcomes = steps.map(({ outcome, reason }) => `${outcome} ${reason}`);
      expect(outcomes.filter((each) => each === "handled undefined")).to.have.length(1);
      expect(new Set(outcomes)).to.be.a("set").that.includes("duplicate busy");
      expect(await wire.deliver(event)).to.deep.include({ status: 200, body: RECEIVED });
      expect(runs).to.equal(1);
    });

    it("is a duplicate after it was handled: 200, not run", async () => {
      const bus = stripeBus();
      const ids = idsOf(bus);
      const steps = stepsOf(bus, "hookbus.receive");
      const wire = closing.add(await serve(bus));
      const event = anEvent();
      const first = await wire.deliver(event);
      expect(await wire.deliver(event)).to.deep.equal(first);
      expect(first).to.deep.include({ status: 200, body: RECEIVED });
      expect(ids).to.deep.equal([event.id]);
      expect(steps.map(({ outcome, conflict }) => [outcome, conflict])).to.deep.equal([
        ["handled", undefined],
        ["duplicate", false],
      ]);
      expect(logOf(bus)).to.deep.equal([]);
    });

    it("runs every time without an idempotency store", async () => {
      const bus = stripeBus();
      bus.idempotency = false;
      const ids = idsOf(bus);
      const wire = closing.add(await serve(bus));
      const event = anEvent();
      await wire.deliver(event);
      expect(await wire.deliver(event)).to.include({ status: 200 });
      expect(ids).to.deep.equal([event.id, event.id]);
      bus.all(() => Promise.reject(new Error("mine")));
      expect(await wire.deliver(event)).to.include({ status: 500 });
    });

    it("runs the failed subscribers alone, after a first run that failed", async () => {
      const bus = stripeBus();
      const runs: string[] = [];
      let broken = true;
      for (const name of ["first", "second", "third"]) {
        bus.all(
          () => {
            runs.push(name);
            if (name === "second" && broken) throw new Error("mine");
          },
          { name },
        );
      }
      const wire = closing.add(await serve(bus));
      const event = anEvent();
      expect(await wire.deliver(event)).to.deep.include({ status: 500, body: REFUSED });
      expect(await wire.deliver(event)).to.deep.include({ status: 500 });
      broken = false;
      expect(await wire.deliver(event)).to.deep.include({ status: 200, body: RECEIVED });
      expect(await wire.deliver(event)).to.deep.include({ status: 200 });
      expect(runs).to.deep.equal(["first", "second", "third", "second", "second"]);
    });

    it("is a conflict with other data under the same id: not run, and logged once", async () => {
      const bus = stripeBus();
      const ids = idsOf(bus);
      const steps = stepsOf(bus, "hookbus.receive");
      const wire = closing.add(await serve(bus));
      const event = anEvent();
      await wire.deliver(event);
      // What changes from delivery to delivery is no part of the data.
      await wire.deliver({ ...event, pending_webhooks: 7 });
      expect(logOf(bus)).to.deep.equal([]);
      const other = { ...event, data: { object: { id: "ch_1", amount: 999_999 } } };
      expect(await wire.deliver(other)).to.deep.include({ status: 200, body: RECEIVED });
      expect(ids).to.deep.equal([event.id]);
      expect(steps.map(({ outcome, conflict }) => [outcome, conflict])).to.deep.equal([
        ["handled", undefined],
        ["duplicate", false],
        ["duplicate", true],
      ]);
      expect(logOf(bus)).to.deep.equal([
        {
          level: "warn",
          message: "hookbus: duplicate with other data than the first",
          fields: { bus: "stripe", status: 200, id: event.id, type: event.type, verifiedBy: "signature" },
        },
      ]);
    });

    it("is no conflict where neither has data", async () => {
      const bus = stripeBus();
      const steps = stepsOf(bus, "hookbus.receive");
      const wire = closing.add(await serve(bus));
      const event = anEvent({ data: undefined });
      await wire.deliver(event);
      expect(await wire.deliver(event)).to.include({ status: 200 });
      expect(steps.map(({ conflict }) => conflict)).to.deep.equal([undefined, false]);
    });

    it("is another event on another bus of one store", async () => {
      const store = memoryIdempotency();
      const [one, two] = [stripeBus(), stripeBus({ name: "stripe-mx" })];
      one.idempotency = store;
      two.idempotency = store;
      const ids = [idsOf(one), idsOf(two)];
      const event = anEvent();
      for (const bus of [one, two, one, two]) expect(await receive(bus, event)).to.include({ status: 200 });
      expect(ids).to.deep.equal([[event.id], [event.id]]);
    });
  });

  describe("whose subscriber takes its time", () => {
    it("stays claimed by heartbeats, three to a lease", async () => {
      const clock = new FakeClock();
      const bus = stripeBus({ clock });
      const finish = deferred();
      let runs = 0;
      bus.all(async () => {
        runs += 1;
        await finish.promise;
      });
      const store = memoryIdempotency({ now: () => clock.now() });
      const extended: [string, number, number][] = [];
      const start = clock.now();
      bus.idempotency = {
        ...bound(store),
        extend: (token, leaseMs) => {
          extended.push([token.key, leaseMs, clock.now() - start]);
          return store.extend(token, leaseMs);
        },
      };
      const event = anEvent();
      const first = receive(bus, event);
      await settle();
      for (let i = 0; i < 10; i++) {
        await clock.advance(LEASE_MS);
        expect(await receive(bus, event)).to.include({ status: 409, outcome: "duplicate", body: REFUSED });
      }
      finish.resolve();
      expect(await first).to.include({ status: 200, outcome: "handled" });
      expect(runs).to.equal(1);
      expect(extended).to.have.length(30);
      expect(extended[0]).to.deep.equal([`stripe:${event.id}`, LEASE_MS, LEASE_MS / 3]);
      expect(extended[1]?.[2]).to.equal((2 * LEASE_MS) / 3);
      expect(clock.pending).to.equal(0);
      expect(await receive(bus, event)).to.include({ status: 200, outcome: "duplicate" });
    });

    it("stays claimed when a heartbeat is lost, and takes the lease that was set", async () => {
      const clock = new FakeClock();
      const bus = stripeBus({ clock, leaseMs: 900 });
      const finish = deferred();
      bus.all(() => finish.promise);
      const store = memoryIdempotency({ now: () => clock.now() });
      let beats = 0;
      bus.idempotency = {
        ...bound(store),
        extend: (token, leaseMs) => {
          beats += 1;
          if (beats % 2 === 1) throw new Error("lost");
          expect(leaseMs).to.equal(900);
          return store.extend(token, leaseMs);
        },
      };
      const event = anEvent();
      const first = receive(bus, event);
      await settle();
      await clock.advance(10_000);
      expect(beats).to.equal(33);
      expect(await receive(bus, event)).to.include({ status: 409 });
      finish.resolve();
      expect(await first).to.include({ status: 200 });
    });

    it("beats no more once its claim is lost, or over while a beat was on its way", async () => {
      const clock = new FakeClock();
      const bus = stripeBus({ clock });
      const finish = deferred();
      bus.all(() => finish.promise);
      const store = memoryIdempotency({ now: () => clock.now() });
      const beat = deferred();
      bus.idempotency = { ...bound(store), extend: () => Promise.reject(new StaleTokenError("lost")) };
      const [one, two] = [receive(bus, anEvent()), receive(bus, anEvent())];
      await settle();
      expect(clock.pending).to.equal(2);
      await clock.advance(LEASE_MS);
      expect(clock.pending).to.equal(0);

      bus.idempotency = { ...bound(store), extend: () => beat.promise };
      const three = receive(bus, anEvent());
      await settle();
      await clock.advance(LEASE_MS / 3);
      finish.resolve();
      await Promise.all([one, two, three]);
      beat.resolve();
      await settle();
      expect(clock.pending).to.equal(0);
    });

    /** A memory store that forgets heartbeats, as when this process hangs. */
    const heartless = (clock: FakeClock): IdempotencyStore => ({
      ...bound(memoryIdempotency({ now: () => clock.now() })),
      extend: () => {},
    });

    it("never runs a third time when its lease ran out, another run took it over, and the first fails", async () => {
      const clock = new FakeClock();
      const bus = stripeBus({ clock });
      bus.idempotency = heartless(clock);
      const runs = [deferred(), deferred(), deferred()];
      let run = 0;
      bus.all(() => runs[run++]?.promise);
      const event = anEvent();

      const first = receive(bus, event);
      await settle();
      expect(await receive(bus, event)).to.include({ status: 409 });
      await clock.advance(LEASE_MS);
      const second = receive(bus, event);
      await settle();
      expect(run).to.equal(2);

      runs[0]?.reject(new Error("mine"));
      expect(await first).to.include({ status: 500, outcome: "failed", body: REFUSED });
      // The first run gave nothing back: the second one still holds the claim.
      expect(await receive(bus, event)).to.include({ status: 409 });
      runs[1]?.resolve();
      expect(await second).to.include({ status: 200, outcome: "handled" });
      expect(await receive(bus, event)).to.include({ status: 200, outcome: "duplicate" });
      expect(run).to.equal(2);
      expect(logOf(bus).filter(({ message }) => message === "hookbus: delivery failed")).to.have.length(1);
    });

    it("is not acknowledged by a run that lost it, which tells the operator so", async () => {
      const clock = new FakeClock();
      const bus = stripeBus({ clock });
      bus.idempotency = heartless(clock);
      const errors: unknown[] = [];
      bus.onError = (error) => errors.push(error);
      const runs = [deferred(), deferred()];
      let run = 0;
      bus.all(() => runs[run++]?.promise);
      const event = anEvent();
      const first = receive(bus, event);
      await settle();
      await clock.advance(LEASE_MS);
      const second = receive(bus, event);
      await settle();

      runs[0]?.resolve();
      const receipt = await first;
      expect(receipt).to.deep.include({ status: 409, outcome: "failed", body: REFUSED });
      expect(receipt.headers["retry-after"]).to.equal("5");
      expect(errors).to.have.length(1);
      expect(errors[0]).to.be.an.instanceOf(StaleTokenError);
      expect(logOf(bus).at(-1)).to.deep.include({ level: "error", message: "hookbus: delivery failed" });
      expect(logOf(bus).at(-1)?.fields).to.include({
        status: 409,
        reason: "claim_lost",
        id: event.id,
        error: "StaleTokenError",
        message: `the claim of "stripe:${event.id}" is over, or another run holds the key`,
      });
      runs[1]?.resolve();
      expect(await second).to.include({ status: 200 });
    });
  });

  describe("whose subscriber runs out of time", () => {
    const setUp = (): { bus: SpecBus; clock: FakeClock; work: Deferred<void>; runs: string[] } => {
      const clock = new FakeClock();
      const bus = stripeBus({ clock });
      const work = deferred();
      const runs: string[] = [];
      bus.all(
        () => {
          runs.push("slow");
          return runs.filter((each) => each === "slow").length === 1 ? work.promise : undefined;
        },
        { name: "slow", timeoutMs: 5_000 },
      );
      bus.all(
        () => {
          runs.push("quick");
        },
        { name: "quick" },
      );
      return { bus, clock, work, runs };
    };

    const runOut = async (bus: SpecBus, clock: FakeClock, event: TestEvent): Promise<void> => {
      const first = receive(bus, event);
      await settle();
      await clock.advance(4_999);
      await clock.advance(1);
      expect(await first).to.deep.include({ status: 500, outcome: "failed", body: REFUSED });
      expect(logOf(bus).map(({ fields }) => (fields as { error: string }).error)).to.deep.equal([
        "SubscriberTimeoutError",
        "DispatchError",
      ]);
    };

    it("is a 500 then, and held until it settles: well, and it is a duplicate", async () => {
      const { bus, clock, work, runs } = setUp();
      const event = anEvent();
      await runOut(bus, clock, event);
      await clock.advance(10 * LEASE_MS);
      expect(await receive(bus, event)).to.include({ status: 409 });
      work.resolve();
      await settle();
      expect(await receive(bus, event)).to.include({ status: 200, outcome: "duplicate" });
      expect(runs).to.deep.equal(["slow", "quick"]);
      expect(clock.pending).to.equal(0);
    });

    it("is asked for its result once, however lazy it is: a query builder sends its query anew each time", async () => {
      const clock = new FakeClock();
      const bus = stripeBus({ clock });
      let queries = 0;
      const lazy = {
        // biome-ignore lint/suspicious/noThenProperty: this is what query builders return
        then: () => {
          queries += 1;
        },
      };
      bus.all(() => lazy, { timeoutMs: 1_000 });
      const first = receive(bus, anEvent());
      await settle();
      await clock.advance(1_000);
      expect(await first).to.include({ status: 500 });
      expect(queries).to.equal(1);
    });

    it("is held until it settles: badly, and that subscriber runs again", async () => {
      const { bus, clock, work, runs } = setUp();
      const event = anEvent();
      await runOut(bus, clock, event);
      expect(await receive(bus, event)).to.include({ status: 409 });
      work.reject(new Error("mine"));
      await settle();
      expect(await receive(bus, event)).to.include({ status: 200, outcome: "handled" });
      expect(runs).to.deep.equal(["slow", "quick", "slow"]);
      expect(clock.pending).to.equal(0);
    });

    it("runs again for the subscriber that failed beside one that was late and well", async () => {
      const { bus, clock, work, runs } = setUp();
      bus.all(
        () => {
          runs.push("broken");
          if (runs.filter((each) => each === "broken").length === 1) throw new Error("mine");
        },
        { name: "broken" },
      );
      const event = anEvent();
      const first = receive(bus, event);
      await settle();
      await clock.advance(5_000);
      expect(await first).to.include({ status: 500 });
      work.resolve();
      await settle();
      expect(await receive(bus, event)).to.include({ status: 200, outcome: "handled" });
      expect(runs).to.deep.equal(["slow", "quick", "broken", "broken"]);
    });
  });

  describe("whose store", () => {
    const down = (): never => {
      throw new Error("connect ECONNREFUSED store-marker");
    };
    const stale = (): never => {
      throw new StaleTokenError("another run holds the key");
    };

    const setUp = async (
      broken: Partial<IdempotencyStore>,
    ): Promise<{ bus: SpecBus; errors: unknown[]; deliver: ReturnType<typeof delivering>; ids: string[] }> => {
      const bus = stripeBus();
      const store = bound(memoryIdempotency());
      bus.idempotency = { ...store, ...broken };
      const errors: unknown[] = [];
      bus.onError = (error) => errors.push(error);
      const ids = idsOf(bus);
      return { bus, errors, ids, deliver: delivering(closing.add(await serve(bus))) };
    };
    const delivering =
      (wire: Awaited<ReturnType<typeof serve>>) =>
      async (event: TestEvent): Promise<[number, string | undefined, string]> => {
        const { status, headers, body } = await wire.deliver(event);
        return [status, headers["retry-after"], body];
      };
    const UNAVAILABLE = [503, "5", REFUSED];
    const MESSAGE = "the idempotency store did not answer: nothing is acknowledged";

    for (const [title, claim] of [
      ["throws", down],
      ["rejects", () => Promise.reject(new Error("store-marker"))],
      ["says that a claim is stale, which it cannot be", stale],
    ] as const) {
      it(`${title} at the claim: not run, not acknowledged`, async () => {
        const { bus, errors, deliver, ids } = await setUp({ claim });
        const event = anEvent();
        const answer = await deliver(event);
        expect(answer).to.deep.equal(claim === stale ? [500, undefined, REFUSED] : UNAVAILABLE);
        expect(ids).to.deep.equal([]);
        expect(errors).to.have.length(1);
        const [line, ...others] = logOf(bus);
        expect(others).to.deep.equal([]);
        expect(line).to.include({ level: "error", message: "hookbus: delivery failed" });
        expect(line?.fields).to.include({ id: event.id, type: event.type, verifiedBy: "signature" });
        if (claim === stale) return;
        expect(line?.fields).to.include({ reason: "HOOKBUS_STORE_UNAVAILABLE", message: MESSAGE });
        expect(JSON.stringify(line)).not.to.include("store-marker");
        expect(errors[0]).to.be.an.instanceOf(StoreUnavailableError);
        expect((errors[0] as Error).cause)
          .to.be.an("error")
          .with.property("message")
          .that.includes("store-marker");
      });
    }

    for (const verb of ["complete", "markDone"] as const) {
      it(`fails at ${verb}: not acknowledged, however well the subscribers did`, async () => {
        const { bus, errors, deliver, ids } = await setUp({ [verb]: down });
        const event = anEvent();
        expect(await deliver(event)).to.deep.equal(UNAVAILABLE);
        expect(ids).to.deep.equal([event.id]);
        expect(errors.map(String)).to.deep.equal([`StoreUnavailableError: ${MESSAGE}`]);
        expect(logOf(bus)).to.have.length(1);
        expect(logOf(bus)[0]?.fields).to.include({ status: 503, reason: "store", id: event.id, message: MESSAGE });
      });

      it(`refuses the token at ${verb}: 409, and the other run decides`, async () => {
        const { bus, errors, deliver } = await setUp({ [verb]: stale });
        expect(await deliver(anEvent())).to.deep.equal([409, "5", REFUSED]);
        expect(errors.map(String)).to.deep.equal(["StaleTokenError: another run holds the key"]);
        expect(logOf(bus)[0]?.fields).to.include({ status: 409, reason: "claim_lost" });
      });
    }

    it("tells of its first refusal, not of the last", async () => {
      const { errors, deliver } = await setUp({
        markDone: stale,
        complete: down,
      });
      expect(await deliver(anEvent())).to.deep.equal([409, "5", REFUSED]);
      expect(errors.map(String)).to.deep.equal(["StaleTokenError: another run holds the key"]);
    });

    it("fails at release: 503 for the sender, and both failures for the operator", async () => {
      for (const thrown of [new Error("mine"), new ProcessError(), new RetryLater(600)]) {
        const { bus, errors, deliver } = await setUp({ release: down });
        bus.all(() => Promise.reject(thrown));
        const event = anEvent();
        expect(await deliver(event)).to.deep.equal(UNAVAILABLE);
        expect(errors.map((error) => (error as Error).name)).to.deep.equal(["DispatchError", "StoreUnavailableError"]);
        expect(logOf(bus).at(-1)?.fields).to.include({
          status: 503,
          reason: "store",
          id: event.id,
          error: "DispatchError",
        });
      }
    });

    it("refuses the token at release: the subscribers' failure stands", async () => {
      const { bus, errors, deliver } = await setUp({ release: stale });
      bus.all(() => Promise.reject(new ProcessError()));
      expect(await deliver(anEvent())).to.deep.equal([422, undefined, REFUSED]);
      expect(errors.map((error) => (error as Error).name)).to.deep.equal(["DispatchError"]);
    });

    it("fails once and recovers: the next delivery finds out what is true", async () => {
      const store = bound(memoryIdempotency());
      let broken = true;
      const { bus, deliver, ids } = await setUp({});
      bus.idempotency = {
        ...store,
        markDone: (token, subscriber) => {
          if (broken) throw new Error("mine");
          return store.markDone(token, subscriber);
        },
      };
      const event = anEvent();
      expect(await deliver(event)).to.deep.equal(UNAVAILABLE);
      broken = false;
      expect(await deliver(event)).to.deep.equal([200, undefined, RECEIVED]);
      expect(ids).to.deep.equal([event.id]);
    });

    it("answers by promises: nothing is acknowledged before they settle", async () => {
      const store = bound(memoryIdempotency());
      const [marked, completed] = [deferred(), deferred()];
      const bus = stripeBus();
      bus.idempotency = {
        ...store,
        claim: async (key, options) => store.claim(key, options),
        markDone: async (token, subscriber) => {
          await marked.promise;
          await store.markDone(token, subscriber);
        },
        complete: async (token) => {
          await completed.promise;
          await store.complete(token);
        },
      };
      bus.all(() => {});
      let answered = false;
      const receipt = receive(bus, anEvent()).then((each) => {
        answered = true;
        return each;
      });
      for (const step of [marked, completed]) {
        await settle();
        expect(answered).to.equal(false);
        step.resolve();
      }
      expect(await receipt).to.include({ status: 200, outcome: "handled" });
    });
  });
});

/** A store whose methods can be spread. */
function bound(store: IdempotencyStore): IdempotencyStore {
  return {
    volatile: store.volatile,
    claim: (key, options) => store.claim(key, options),
    extend: (token, leaseMs) => store.extend(token, leaseMs),
    markDone: (token, subscriber) => store.markDone(token, subscriber),
    complete: (token) => store.complete(token),
    release: (token) => store.release(token),
  };
}
