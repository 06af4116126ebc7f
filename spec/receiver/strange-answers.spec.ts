import { expect } from "chai";
import { Ignore } from "../../src/errors.ts";
import { memoryIdempotency } from "../../src/idempotency/memory.ts";
import type { IdempotencyStore } from "../../src/idempotency/store.ts";
import { memoryInbox } from "../../src/inbox/memory.ts";
import type { Receipt } from "../../src/receiver/receipt.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent, bytes, deferred, type SpecBus, signed, stripeBus, type TestEvent } from "./harness.ts";

const receive = (bus: SpecBus, event: TestEvent): Promise<Receipt> =>
  bus.receive({ method: "POST", url: "/", headers: signed(event, bus.clock.now()), body: bytes(event) });

/** A promise to `await`, though it is a function: stubs of remote procedures are. */
function callable<T>(promise: Promise<T>): PromiseLike<T> {
  promise.catch(() => undefined);
  // biome-ignore lint/suspicious/noThenProperty: that is what it is about
  return Object.assign(() => undefined, { then: promise.then.bind(promise) }) as never;
}

describe("what stores and subscribers answer that is no answer", () => {
  const store: IdempotencyStore = {
    volatile: true,
    claim: (key) => ({ state: "claimed", token: { key, fence: "1" }, done: [] }),
    extend: () => undefined,
    markDone: () => undefined,
    complete: () => undefined,
    release: () => undefined,
  };
  const nothings: readonly unknown[] = [
    undefined,
    null,
    false,
    "OK",
    [],
    {},
    { state: undefined },
    { state: null },
    { state: "DONE" },
    { state: "done" },
    { state: "claimed" },
    { state: "claimed", token: { key: "k", fence: "1" } },
    { state: "claimed", done: [] },
  ];

  for (const nothing of nothings) {
    it(`acknowledges nothing where a claim is answered by ${JSON.stringify(nothing)}`, async () => {
      for (const answer of [nothing, Promise.resolve(nothing)]) {
        const bus = stripeBus();
        let runs = 0;
        bus.all(() => {
          runs += 1;
        });
        bus.idempotency = { ...store, claim: () => answer as never };
        expect(await receive(bus, anEvent())).to.include({ status: 503, outcome: "failed" });
        expect(runs).to.equal(0);
      }
    });
  }

  const unrecorded: readonly unknown[] = [
    undefined,
    null,
    [],
    [{}],
    [undefined],
    [{ state: "RECORDED" }],
    [{ state: "recorded" }, { state: "recorded" }],
    { length: 1, 0: { state: "recorded" } },
  ];

  for (const answer of unrecorded) {
    it(`acknowledges nothing where an inbox answers ${JSON.stringify(answer)}`, async () => {
      const bus = stripeBus();
      bus.all(() => undefined, { name: "a" });
      bus.inbox = Object.assign(memoryInbox(), { record: async () => answer as never });
      expect(await receive(bus, anEvent())).to.include({ status: 503, outcome: "failed" });
    });
  }

  it("waits for a subscriber whose promise is a function", async () => {
    const bus = stripeBus();
    const work = deferred();
    let acknowledged = false;
    bus.all(() => callable(work.promise) as Promise<void>);
    const answer = receive(bus, anEvent()).then(() => {
      acknowledged = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(acknowledged).to.equal(false);
    work.resolve();
    await answer;
  });

  it("fails where that promise rejects", async () => {
    const bus = stripeBus();
    bus.all(() => callable(Promise.reject(new Error("mine"))) as Promise<void>);
    const event = anEvent();
    expect(await receive(bus, event)).to.include({ status: 500 });
    expect(await receive(bus, event)).to.include({ status: 500 });
  });

  it("acknowledges nothing where a store's promise is a function and rejects", async () => {
    for (const call of ["complete", "markDone"] as const) {
      const bus = stripeBus();
      bus.all(() => undefined);
      bus.idempotency = { ...store, [call]: () => callable(Promise.reject(new Error("down"))) };
      expect(await receive(bus, anEvent()), call).to.include({ status: 503 });
    }
  });

  it("gives the event back where the subscribers could not be called", async () => {
    const clock = new FakeClock();
    const bus = stripeBus({ clock });
    bus.idempotency = memoryIdempotency({ now: () => clock.now() });
    bus.freezeEvents = true;
    let broken = true;
    let runs = 0;
    bus.eventFilter = (event) => {
      if (!broken) return event;
      const hostile = { ...event };
      Object.defineProperty(hostile, "boom", {
        enumerable: true,
        get: () => {
          throw new Error("mine");
        },
      });
      return hostile;
    };
    bus.all(() => {
      runs += 1;
    });
    const event = anEvent();
    expect(await receive(bus, event)).to.include({ status: 500 });
    expect(clock.pending).to.equal(0);
    broken = false;
    expect(await receive(bus, event)).to.include({ status: 200, outcome: "handled" });
    expect(runs).to.equal(1);
  });

  it("takes what cannot be looked at for a failure like another", async () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const opaque = new Proxy(new Ignore("no"), {
      getPrototypeOf: () => {
        throw new Error("mine");
      },
    });
    for (const thrown of [proxy, opaque]) {
      const clock = new FakeClock();
      const bus = stripeBus({ clock });
      const runs: string[] = [];
      let broken = true;
      bus.all(() => {
        runs.push("first");
        if (broken) throw thrown;
      });
      bus.all(() => {
        runs.push("second");
      });
      const event = anEvent();
      expect(await receive(bus, event)).to.include({ status: 500, outcome: "failed" });
      expect(clock.pending).to.equal(0);
      broken = false;
      expect(await receive(bus, event)).to.include({ status: 200 });
      expect(runs).to.deep.equal(["first", "second", "first"]);
    }
  });
});
