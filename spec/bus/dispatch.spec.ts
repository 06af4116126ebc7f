import { expect } from "chai";
import type { DeliveryContext, DeliveryFacts } from "../../src/bus/context.ts";
import { dispatch } from "../../src/bus/dispatch.ts";
import { freezeDeeply } from "../../src/bus/freeze.ts";
import {
  DispatchError,
  HookbusError,
  Ignore,
  ProcessError,
  Reject,
  RetryLater,
  SubscriberTimeoutError,
} from "../../src/errors.ts";
import { eventOf, type PlainBus, type PlainEvent, plainBus, rejectionOf } from "../support/bus.ts";
import { FakeClock, settle } from "../support/clock.ts";

/** Named here, so that the objects below which have it are seen to mean it. */
const THEN = "then";

const throwing = (thrown: unknown) => (): never => {
  throw thrown;
};

describe("dispatch", () => {
  let bus: PlainBus;
  let calls: string[];

  beforeEach(() => {
    bus = plainBus();
    calls = [];
  });

  /** What publishing an event of type "a" comes to. */
  const failureOf = async (): Promise<DispatchError> => {
    const error = await rejectionOf(bus.publish(eventOf("a")));
    expect(error).to.be.instanceOf(DispatchError);
    return error as DispatchError;
  };

  it("awaits each subscriber before the next one starts, in the order of subscription", async () => {
    bus.all(async () => {
      calls.push("1 starts");
      await settle();
      calls.push("1 ends");
    });
    bus.all(() => void calls.push("2"));
    bus.all(async () => {
      calls.push("3 starts");
      await settle();
      calls.push("3 ends");
    });
    await bus.publish(eventOf("a"));
    expect(calls).to.deep.equal(["1 starts", "1 ends", "2", "3 starts", "3 ends"]);
  });

  it("awaits what is like a promise, and takes no other result for one", async () => {
    let resolve = (_: unknown): void => {};
    bus.all(() => ({
      [THEN]: (onFulfilled: (value: unknown) => void) => {
        resolve = onFulfilled;
      },
    }));
    for (const result of [null, 0, "then", { [THEN]: "no function" }, () => {}]) {
      bus.all(() => {
        calls.push(typeof result);
        return result;
      });
    }
    const published = bus.publish(eventOf("a"));
    await settle();
    expect(calls).to.deep.equal([]);
    resolve(undefined);
    await published;
    expect(calls).to.deep.equal(["object", "number", "string", "object", "function"]);
  });

  it("gives every subscriber the same event, and a context of its own", async () => {
    const events: unknown[] = [];
    const contexts: DeliveryContext[] = [];
    for (const name of ["one", "two"]) {
      bus.all(
        (event, context) => {
          events.push(event);
          contexts.push(context);
        },
        { name },
      );
    }
    const event = eventOf("a");
    await bus.publish(event);
    expect(events).to.have.length(2);
    for (const each of events) expect(each).to.equal(event);
    expect(contexts.map(({ subscriber }) => subscriber)).to.deep.equal(["one", "two"]);
  });

  it("starts at once, before publish returns", () => {
    bus.all(() => void calls.push("called"));
    const published = bus.publish(eventOf("a"));
    expect(calls).to.deep.equal(["called"]);
    return published;
  });

  describe("failures", () => {
    it("stop nobody, and are named one by one", async () => {
      const [sync, async] = [new Error("sync"), new Error("async")];
      bus.all(throwing(sync), { name: "sync" });
      bus.all(() => Promise.reject(async), { name: "async" });
      bus.all(throwing(undefined), { name: "undefined" });
      bus.all(() => Promise.reject(undefined), { name: "rejected undefined" });
      bus.all(throwing("text"), { name: "text" });
      bus.all(() => void calls.push("last"), { name: "fine" });
      const error = await failureOf();
      expect(calls).to.deep.equal(["last"]);
      expect(error.failures).to.deep.equal([
        { subscriber: "sync", error: sync },
        { subscriber: "async", error: async },
        { subscriber: "undefined", error: undefined },
        { subscriber: "rejected undefined", error: undefined },
        { subscriber: "text", error: "text" },
      ]);
      expect(error.errors).to.deep.equal([sync, async, undefined, undefined, "text"]);
      expect(error.errors[0]).to.equal(sync);
      expect(error.message).to.equal('5 subscriber(s) of "a" failed: sync, async, undefined, rejected undefined, text');
    });

    it("change nothing for the next event", async () => {
      bus.all(() => {
        calls.push("run");
        throw new Error("no");
      });
      await failureOf();
      await failureOf();
      expect(calls).to.deep.equal(["run", "run"]);
    });

    it("are one error, which is an AggregateError and one of hookbus's", async () => {
      bus.all(throwing(new Error("no")));
      const error = await failureOf();
      expect(error).to.be.instanceOf(AggregateError);
      expect(error).to.be.instanceOf(HookbusError);
      expect([error.name, error.code]).to.deep.equal(["DispatchError", "HOOKBUS_DISPATCH"]);
    });

    it("come with errors of hookbus's own as they are", async () => {
      const thrown = [new RetryLater(5), new ProcessError(), new Reject()];
      for (const each of thrown) bus.all(throwing(each));
      expect((await failureOf()).errors).to.deep.equal(thrown);
    });

    it("do not include Ignore", async () => {
      bus.all(throwing(new Ignore()));
      bus.all(() => Promise.reject(new Ignore()));
      await bus.publish(eventOf("a"));
      bus.all(throwing(new Error("no")), { name: "ill" });
      expect((await failureOf()).failures.map(({ subscriber }) => subscriber)).to.deep.equal(["ill"]);
    });

    it("include those of a result whose `then` cannot be read", async () => {
      const trap = Object.defineProperty({}, THEN, { get: throwing(new Error("trap")) });
      bus.all(() => trap);
      expect((await failureOf()).errors.map((each) => each.message)).to.deep.equal(["trap"]);
    });
  });

  describe("timeoutMs", () => {
    let clock: FakeClock;

    beforeEach(() => {
      clock = new FakeClock();
      bus = plainBus({ clock });
    });

    it("makes a failure of a subscriber that takes longer, aborts its signal, and goes on to the next", async () => {
      let signal: AbortSignal | undefined;
      bus.all(
        (_, context) => {
          signal = context.signal;
          return new Promise(() => {});
        },
        { name: "slow", timeoutMs: 100 },
      );
      bus.all(() => void calls.push("next"));
      const failing = failureOf();
      await clock.advance(99);
      expect([signal?.aborted, calls]).to.deep.equal([false, []]);
      await clock.advance(1);
      expect([signal?.aborted, calls]).to.deep.equal([true, ["next"]]);
      const { failures } = await failing;
      expect(failures.map(({ subscriber }) => subscriber)).to.deep.equal(["slow"]);
      const [timedOut] = failures.map(({ error }) => error);
      expect(timedOut).to.be.instanceOf(SubscriberTimeoutError);
      expect((timedOut as Error).message).to.equal('subscriber "slow" did not settle in 100 ms');
      expect(signal?.reason).to.equal(timedOut);
    });

    it("aborts a signal that is first looked at too late", async () => {
      let later: DeliveryContext | undefined;
      bus.all(
        (_, context) => {
          later = context;
          return new Promise(() => {});
        },
        { timeoutMs: 100 },
      );
      const failing = failureOf();
      await clock.advance(100);
      await failing;
      expect(later?.signal.aborted).to.equal(true);
      expect(later?.signal).to.equal(later?.signal);
    });

    it("leaves no timer behind a subscriber that settles in time, well or not", async () => {
      let resolve = (): void => {};
      const subscriber = (): Promise<void> =>
        new Promise((done) => {
          resolve = done;
        });
      bus.all(subscriber, { timeoutMs: 100 });
      bus.all(() => Promise.reject(new Error("no")), { timeoutMs: 100 });
      const failing = failureOf();
      expect(clock.pending).to.equal(1);
      await clock.advance(99);
      resolve();
      expect((await failing).errors.map(({ message }) => message)).to.deep.equal(["no"]);
      expect(clock.pending).to.equal(0);
    });

    it("asks for no timer where nothing is awaited, or nothing was said", async () => {
      bus.all(() => calls.push("sync"), { timeoutMs: 100 });
      bus.all(() => new Promise(() => {}));
      void bus.publish(eventOf("a"));
      await settle();
      expect(clock.pending).to.equal(0);
      expect(calls).to.deep.equal(["sync"]);
    });

    it("survives a subscriber that rejects after its time", async () => {
      let reject = (_: Error): void => {};
      bus.all(
        () =>
          new Promise((_, no) => {
            reject = no;
          }),
        { timeoutMs: 100 },
      );
      const failing = failureOf();
      await clock.advance(100);
      reject(new Error("too late"));
      await settle();
      expect((await failing).errors[0]).to.be.instanceOf(SubscriberTimeoutError);
    });
  });

  describe("as the receiver uses it", () => {
    let clock: FakeClock;
    let marks: string[];

    const facts: DeliveryFacts = {
      bus: "plain",
      provider: "plain",
      id: "evt_1",
      type: "a",
      key: "plain:evt_1",
      verifiedBy: "signature",
      matchedSecret: "signingSecrets[1]",
      livemode: true,
      created: new Date(0),
      account: "acct_1",
    };

    beforeEach(() => {
      clock = new FakeClock();
      marks = [];
      bus = plainBus({ clock });
    });

    const run = (done: readonly string[] = []) =>
      bus.dispatch({ id: "evt_1", type: "a" }, facts, { done, markDone: (mark) => void marks.push(mark) });

    /** A subscriber that settles when it is told to. */
    const pending = (name: string): { resolve(): void; reject(error: unknown): void } => {
      const control = { resolve() {}, reject(_: unknown) {} };
      bus.all(() => new Promise<void>((resolve, reject) => void Object.assign(control, { resolve, reject })), {
        name,
        timeoutMs: 100,
      });
      return control;
    };

    it("shows subscribers all that is known of the delivery", async () => {
      const seen: unknown[] = [];
      bus.all((_, context) => seen.push({ ...context }), { name: "it" });
      await run();
      expect(seen).to.deep.equal([{ ...facts, subscriber: "it" }]);
    });

    it("marks who finished, ignored or rejected for good, and nobody who failed", async () => {
      bus.all(() => {}, { name: "fine" });
      bus.all(throwing(new Ignore()), { name: "ignores" });
      bus.all(throwing(new Reject()), { name: "rejects" });
      bus.all(throwing(new Error("no")), { name: "fails" });
      bus.all(throwing(new RetryLater()), { name: "later" });
      bus.notifications.subscribe("", () => {}, { name: "fine" });
      const { failures, late } = await run();
      expect(marks).to.deep.equal(["fine", "ignores", "rejects", "notifications/fine"]);
      expect(failures.map(({ subscriber }) => subscriber)).to.deep.equal(["rejects", "fails", "later"]);
      expect(late).to.equal(undefined);
    });

    it("marks each before the next one starts", async () => {
      bus.all(() => {}, { name: "one" });
      bus.all(() => void calls.push(marks.join()), { name: "two" });
      await bus.dispatch({ id: "evt_1", type: "a" }, facts, {
        done: [],
        markDone: async (mark) => {
          await settle();
          marks.push(mark);
        },
      });
      expect(calls).to.deep.equal(["one"]);
      expect(marks).to.deep.equal(["one", "two"]);
    });

    it("skips who is marked, by the mark and not by the name", async () => {
      for (const name of ["one", "two"]) bus.all(() => void calls.push(name), { name });
      bus.notifications.subscribe("", () => void calls.push("across"), { name: "one" });
      await run(["one"]);
      expect(calls).to.deep.equal(["two", "across"]);
      await run(["two", "notifications/one"]);
      expect(calls).to.deep.equal(["two", "across", "one"]);
      await run([]);
      expect(calls).to.deep.equal(["two", "across", "one", "one", "two", "across"]);
    });

    it("does not use up a `once` that it skips", async () => {
      bus.once("a", () => void calls.push("once"), { name: "once" });
      await run(["once"]);
      await run();
      expect(calls).to.deep.equal(["once"]);
    });

    it("needs nobody to mark, and nobody to run", async () => {
      const options = { notifications: bus.notifications, clock, name: "plain_event.a" };
      expect(await dispatch([], {}, facts, options)).to.deep.equal({
        failures: [],
        unfinished: false,
        late: undefined,
      });
      bus.all(() => void calls.push("run"));
      await bus.dispatch({ id: "evt_1", type: "a" }, facts);
      expect(calls).to.deep.equal(["run"]);
    });

    const lateCases: readonly [title: string, end: (one: ReturnType<typeof pending>) => void, finished: boolean][] = [
      ["finishes", ({ resolve }) => resolve(), true],
      ["ignores", ({ reject }) => reject(new Ignore()), true],
      ["rejects for good", ({ reject }) => reject(new Reject()), true],
      ["fails", ({ reject }) => reject(new Error("no")), false],
      ["asks for a later try", ({ reject }) => reject(new RetryLater()), false],
    ];
    for (const [title, end, finished] of lateCases) {
      it(`tells when one that ran out of time really settled, which ${title}`, async () => {
        const slow = pending("slow");
        bus.all(() => {}, { name: "fine" });
        const dispatching = run();
        await clock.advance(100);
        const { failures, late } = await dispatching;
        expect(failures.map(({ subscriber }) => subscriber)).to.deep.equal(["slow"]);
        expect(marks).to.deep.equal(["fine"]);
        let outcome: boolean | undefined;
        void late?.then((value) => {
          outcome = value;
        });
        await settle();
        expect(outcome, "before").to.equal(undefined);
        end(slow);
        await settle();
        expect(outcome, "after").to.equal(finished);
        expect(marks).to.deep.equal(finished ? ["fine", "slow"] : ["fine"]);
      });
    }

    it("waits for all that ran out of time, and asks that each finished", async () => {
      const slow = [pending("one"), pending("two")];
      const dispatching = run();
      await clock.advance(100);
      await clock.advance(100);
      const { late } = await dispatching;
      slow[1]?.resolve();
      await settle();
      expect(marks).to.deep.equal(["two"]);
      slow[0]?.reject(new Error("no"));
      expect(await late).to.equal(false);
    });

    it("is not finished by a late one while another had failed in time", async () => {
      const slow = pending("slow");
      bus.all(throwing(new Error("no")), { name: "fails" });
      const dispatching = run();
      await clock.advance(100);
      const { late } = await dispatching;
      slow.resolve();
      expect(await late).to.equal(false);
      expect(marks).to.deep.equal(["slow"]);
    });
  });

  describe("freezeEvents", () => {
    const nested = (): PlainEvent & { data: { object: { items: { amount: number }[] } } } => ({
      ...eventOf("a"),
      data: { object: { items: [{ amount: 100 }] } },
    });

    it("is off: subscribers share one event, which they can change", async () => {
      bus.all((event) => void Object.assign(event, { seen: true }));
      bus.all((event) => calls.push(JSON.stringify("seen" in event)));
      const event = nested();
      await bus.publish(event);
      expect(calls).to.deep.equal(["true"]);
      expect(Object.isFrozen(event)).to.equal(false);
    });

    it("freezes the event and all that hangs on it, before the first subscriber", async () => {
      bus.freezeEvents = true;
      const event = nested();
      bus.all((each) => {
        calls.push("called");
        expect(each).to.equal(event);
        const { object } = event.data;
        for (const part of [event, event.data, object, object.items, object.items[0]]) {
          expect(Object.isFrozen(part)).to.equal(true);
        }
        expect(() => object.items.push({ amount: 1 })).to.throw(TypeError);
      });
      await bus.publish(event);
      expect(calls).to.deep.equal(["called"]);
    });

    it("gets to the bottom of what is nested deeper than the stack, and of what turns in circles", () => {
      const circle: Record<string, unknown> = { name: "circle" };
      circle["self"] = circle;
      expect(Object.isFrozen(freezeDeeply(circle))).to.equal(true);
      let deep: { below?: unknown } = {};
      const bottom = deep;
      for (let depth = 0; depth < 100_000; depth++) deep = { below: deep };
      freezeDeeply(deep);
      expect(Object.isFrozen(bottom)).to.equal(true);
    });

    it("goes beyond what was frozen before", () => {
      const inner = { amount: 1 };
      freezeDeeply(Object.freeze({ inner }));
      expect(Object.isFrozen(inner)).to.equal(true);
    });

    it("leaves bytes alone, which cannot be frozen, and what is no object", () => {
      const event = { bytes: new Uint8Array([1]), nothing: null, text: "a" };
      expect(freezeDeeply(event)).to.equal(event);
      expect(Object.isFrozen(event)).to.equal(true);
      expect(freezeDeeply("text")).to.equal("text");
      expect(freezeDeeply(null)).to.equal(null);
    });
  });
});
