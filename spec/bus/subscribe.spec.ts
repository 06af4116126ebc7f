import { expect } from "chai";
import type { DeliveryContext } from "../../src/bus/context.ts";
import { Notifications } from "../../src/bus/notifications.ts";
import type { Subscriber } from "../../src/bus/subscriber.ts";
import { ConfigurationError, DispatchError, Ignore, Reject } from "../../src/errors.ts";
import { eventOf, type PlainBus, type PlainEvent, plainBus, rejectionOf } from "../support/bus.ts";
import { FakeClock, settle } from "../support/clock.ts";

describe("subscribing", () => {
  let bus: PlainBus;
  let calls: string[];

  const noting = (name: string) => (event: unknown) => void calls.push(`${name} ${(event as PlainEvent).type}`);
  const publish = async (...types: string[]): Promise<void> => {
    for (const type of types) await bus.publish(eventOf(type));
  };
  /** The name of each subscriber of the bus, as it is told it. */
  const names = async (): Promise<string[]> => {
    const seen: string[] = [];
    const stop = bus.notifications.subscribe("hookbus.deliver", ({ subscriber }) => seen.push(subscriber ?? ""));
    await publish("name");
    stop();
    return seen;
  };

  beforeEach(() => {
    bus = plainBus();
    calls = [];
  });

  describe("subscribe", () => {
    it("calls a function with the event and the context", async () => {
      const got: unknown[] = [];
      bus.subscribe("charge.paid", (...args) => got.push(...args));
      const event = eventOf("charge.paid");
      await bus.publish(event);
      expect(got).to.have.length(2);
      expect(got[0]).to.equal(event);
      const { bus: bus_, provider, id, type, key, verifiedBy, subscriber } = got[1] as DeliveryContext;
      expect({ bus: bus_, provider, id, type, key, verifiedBy, subscriber }).to.deep.equal({
        bus: "plain",
        provider: "plain",
        id: event.id,
        type: "charge.paid",
        key: `plain:${event.id}`,
        verifiedBy: "nothing",
        subscriber: "subscriber-0",
      });
    });

    it("calls an object's `call`, as the object's", async () => {
      class CardAudit {
        readonly seen: string[] = [];
        call(event: PlainEvent, context: DeliveryContext): void {
          this.seen.push(event.type, context.bus);
        }
      }
      const audit = new CardAudit();
      bus.subscribe("customer.card.", audit);
      await publish("customer.card.created", "customer.cardigan");
      expect(audit.seen).to.deep.equal(["customer.card.created", "plain"]);
    });

    it("calls a function that happens to have a `call` of its own as a function", async () => {
      const confusing = Object.assign(noting("function"), { call: noting("property") });
      bus.subscribe("a", confusing as never);
      await publish("a");
      expect(calls).to.deep.equal(["function a"]);
    });

    it("takes one function twice for two subscriptions", async () => {
      const twice = noting("twice");
      const dispose = bus.subscribe("a", twice);
      bus.subscribe("a", twice);
      await publish("a");
      dispose();
      await publish("a");
      expect(calls).to.deep.equal(["twice a", "twice a", "twice a"]);
    });

    it("knows the words of Object.prototype for types like any other", async () => {
      bus.subscribe("constructor", noting("constructor"));
      bus.subscribe("__proto__", noting("proto"));
      expect(bus.listening("toString")).to.equal(false);
      await publish("constructor", "__proto__", "hasOwnProperty");
      expect(calls).to.deep.equal(["constructor constructor", "proto __proto__"]);
    });

    it("refuses an empty pattern, which would be `all`", () => {
      expect(() => bus.subscribe("", noting("a"))).to.throw(TypeError, "`pattern` is empty: use `all` for every event");
    });

    it("refuses a pattern that is no string", () => {
      for (const pattern of [undefined, null, 5, /charge/, ["a"]]) {
        expect(() => bus.subscribe(pattern as never, noting("a"))).to.throw(TypeError, "`pattern` must be a string");
        expect(() => bus.once(pattern as never, noting("a"))).to.throw(TypeError, "`pattern` must be a string");
      }
    });

    it("refuses a subscriber that cannot be called", () => {
      const never: unknown[] = [undefined, null, 5, "call", {}, { call: 5 }, { call: null }, [], { handle() {} }];
      for (const subscriber of never) {
        for (const verb of [
          () => bus.subscribe("a", subscriber as never),
          () => bus.once("a", subscriber as never),
          () => bus.all(subscriber as never),
        ]) {
          expect(verb).to.throw(
            TypeError,
            "`subscriber` must be a function or an object with a `call(event, context)` method",
          );
        }
      }
      expect(bus.listening("a")).to.equal(false);
    });

    it("refuses a class in place of its instance", () => {
      class CardAudit {
        call() {}
      }
      expect(() => bus.all(CardAudit as never)).to.throw(TypeError, "`subscriber` is a class: pass an instance");
    });

    it("refuses a `timeoutMs` that no timer can keep", () => {
      for (const timeoutMs of [
        0,
        -1,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        2_147_483_648,
        "5" as never,
        null as never,
      ]) {
        expect(() => bus.all(noting("a"), { timeoutMs })).to.throw(
          TypeError,
          "`timeoutMs` must be a number of milliseconds above zero and at most 2147483647",
        );
      }
      bus.all(noting("a"), { timeoutMs: 2_147_483_647 });
      bus.all(noting("a"), { timeoutMs: 0.5 });
    });
  });

  describe("all", () => {
    it("gets every event of the bus", async () => {
      bus.all(noting("all"));
      bus.all({ call: noting("object") });
      await publish("charge.paid", "customer.card.created");
      expect(calls).to.deep.equal([
        "all charge.paid",
        "object charge.paid",
        "all customer.card.created",
        "object customer.card.created",
      ]);
    });
  });

  describe("listening", () => {
    it("says whether an event of a type would reach anybody", () => {
      expect(bus.listening("customer.card")).to.equal(false);
      const dispose = bus.subscribe("customer.", noting("a"));
      expect(["customer.card", "customer.", "customer", "account"].map((type) => bus.listening(type))).to.deep.equal([
        true,
        true,
        false,
        false,
      ]);
      dispose();
      expect(bus.listening("customer.card")).to.equal(false);
    });

    it("counts those who listen across buses", () => {
      bus.notifications.subscribe("plain_event.charge.", noting("audit"));
      expect(bus.listening("charge.paid")).to.equal(true);
      expect(bus.listening("charge")).to.equal(false);
    });
  });

  describe("the disposer", () => {
    it("ends its subscription and no other, and can be called again", async () => {
      const dispose = bus.subscribe("a", noting("1"));
      bus.subscribe("a", noting("2"));
      dispose();
      dispose();
      await publish("a");
      expect(calls).to.deep.equal(["2 a"]);
    });

    it("is Disposable", async () => {
      const subscription = bus.subscribe("a", noting("1"));
      await publish("a");
      subscription[Symbol.dispose]();
      await publish("a");
      expect(calls).to.deep.equal(["1 a"]);
    });
  });

  describe("unsubscribe", () => {
    it("ends every subscription of a subscriber, and says whether there was one", async () => {
      const subscriber = noting("1");
      const object = { call: noting("object") };
      bus.subscribe("a", subscriber);
      bus.all(subscriber);
      bus.once("a", subscriber);
      bus.all(object);
      expect(bus.unsubscribe(subscriber)).to.equal(true);
      expect(bus.unsubscribe(subscriber)).to.equal(false);
      expect(bus.unsubscribe(() => {})).to.equal(false);
      await publish("a");
      expect(calls).to.deep.equal(["object a"]);
      expect(bus.unsubscribe(object)).to.equal(true);
      expect(bus.listening("a")).to.equal(false);
    });
  });

  describe("once", () => {
    it("hears of one event", async () => {
      bus.once("charge.", noting("function"));
      bus.once("charge.", { call: noting("object") });
      await publish("customer.created", "charge.paid", "charge.paid");
      expect(calls).to.deep.equal(["function charge.paid", "object charge.paid"]);
      expect(bus.listening("charge.paid")).to.equal(false);
    });

    it("refuses the empty pattern, as `subscribe` does", () => {
      expect(() => bus.once("", noting("any"))).to.throw(TypeError, "`pattern` is empty");
    });

    for (const [title, failing] of Object.entries<(event: PlainEvent) => unknown>({
      throws: () => {
        throw new Error("not yet");
      },
      rejects: () => Promise.reject(new Error("not yet")),
    })) {
      it(`stays while it ${title}, at its place in the order`, async () => {
        let failures = 2;
        bus.once("a", (event) => (failures-- > 0 ? failing(event) : calls.push("once a")));
        bus.all(noting("all"));
        for (let index = 0; index < 2; index++) {
          expect(await rejectionOf(bus.publish(eventOf("a")))).to.be.instanceOf(DispatchError);
          expect(bus.listening("a")).to.equal(true);
        }
        await publish("a", "a");
        expect(calls).to.deep.equal(["all a", "all a", "once a", "all a", "all a"]);
      });
    }

    it("ends with an event that it ignores or rejects for good", async () => {
      for (const thrown of [new Ignore(), new Reject()]) {
        let runs = 0;
        bus.once("a", () => {
          runs++;
          throw thrown;
        });
        await Promise.allSettled([bus.publish(eventOf("a"))]);
        await bus.publish(eventOf("a"));
        expect(runs, thrown.name).to.equal(1);
      }
    });

    it("runs for one of two events that arrive together", async () => {
      let finish = (): void => {};
      bus.once("a", (event) => {
        calls.push(event.id);
        return new Promise<void>((resolve) => {
          finish = resolve;
        });
      });
      const [first, second] = [eventOf("a"), eventOf("a")];
      const both = [bus.publish(first), bus.publish(second)];
      await settle();
      expect(bus.listening("a"), "taken").to.equal(false);
      finish();
      await Promise.all(both);
      await bus.publish(eventOf("a"));
      expect(calls).to.deep.equal([first.id]);
    });

    it("is there for the next event when the first of two failed meanwhile", async () => {
      let fail = (_: Error): void => {};
      bus.once("a", (event) => {
        calls.push(event.id);
        return new Promise<void>((_, reject) => {
          fail = reject;
        });
      });
      const events = [eventOf("a"), eventOf("a"), eventOf("a")] as const;
      const failing = bus.publish(events[0]);
      await bus.publish(events[1]);
      fail(new Error("no"));
      expect(await rejectionOf(failing)).to.be.instanceOf(DispatchError);
      const retried = bus.publish(events[2]);
      await settle();
      fail(new Error("no"));
      await rejectionOf(retried);
      expect(calls).to.deep.equal([events[0].id, events[2].id]);
    });

    it("keeps its name while it runs", async () => {
      let fail = (_: Error): void => {};
      const subscriber = (): Promise<void> =>
        new Promise((_, reject) => {
          fail = reject;
        });
      bus.once("a", subscriber, { name: "it" });
      const failing = bus.publish(eventOf("a"));
      expect(() => bus.all(noting("a"), { name: "it" })).to.throw(ConfigurationError);
      fail(new Error("no"));
      await rejectionOf(failing);
      expect(() => bus.all(noting("a"), { name: "it" })).to.throw(ConfigurationError);
    });

    it("gives its name back when it is over", async () => {
      bus.once("a", noting("once"), { name: "it" });
      await publish("a");
      bus.all(noting("all"), { name: "it" });
      await publish("a");
      expect(calls).to.deep.equal(["once a", "all a"]);
    });

    const ends: Readonly<Record<string, (dispose: () => void, subscriber: Subscriber<never>) => void>> = {
      disposed: (dispose) => dispose(),
      unsubscribed: (_, subscriber) => expect(bus.unsubscribe(subscriber)).to.equal(true),
    };
    for (const [title, end] of Object.entries(ends)) {
      it(`stays away when it was ${title} while it ran, though it failed then`, async () => {
        const subscriber = async (): Promise<never> => {
          calls.push("run");
          await settle();
          throw new Error("no");
        };
        const dispose = bus.once("a", subscriber);
        const failing = bus.publish(eventOf("a"));
        end(dispose, subscriber);
        expect(await rejectionOf(failing)).to.be.instanceOf(DispatchError);
        await publish("a");
        expect(calls).to.deep.equal(["run"]);
        expect(bus.notifications.listening("plain_event.a"), "nothing is left behind").to.equal(false);
      });
    }

    describe("with a timeout", () => {
      let clock: FakeClock;
      let settleFirst: { resolve(): void; reject(error: unknown): void };

      beforeEach(async () => {
        clock = new FakeClock();
        bus = plainBus({ clock });
        bus.once(
          "a",
          (event) => {
            calls.push(event.id);
            if (calls.length > 1) return undefined;
            return new Promise<void>((resolve, reject) => {
              settleFirst = { resolve, reject };
            });
          },
          { timeoutMs: 100 },
        );
        const failing = rejectionOf(bus.publish(eventOf("a")));
        await clock.advance(100);
        expect(await failing).to.be.instanceOf(DispatchError);
      });

      it("hears of nothing else while it still runs", async () => {
        await publish("a");
        expect(calls).to.have.length(1);
      });

      it("is over when it finishes late", async () => {
        settleFirst.resolve();
        await settle();
        await publish("a");
        expect(calls).to.have.length(1);
      });

      it("is there again when it fails late", async () => {
        settleFirst.reject(new Error("no"));
        await settle();
        await publish("a", "a");
        expect(calls).to.have.length(2);
      });
    });
  });

  describe("during a dispatch", () => {
    it("a new subscriber hears of the next event", async () => {
      bus.once("a", () => void bus.all(noting("new")));
      bus.all(noting("old"));
      await publish("a");
      expect(calls).to.deep.equal(["old a"]);
      await publish("b");
      expect(calls).to.deep.equal(["old a", "old b", "new b"]);
    });

    it("one that is taken away still hears of this event", async () => {
      const taken = noting("taken");
      bus.all(() => void bus.unsubscribe(taken));
      bus.all(taken);
      await publish("a", "b");
      expect(calls).to.deep.equal(["taken a"]);
    });

    it("the list holds still across an await too", async () => {
      let disposeTaken = (): void => {};
      bus.all(async () => {
        await settle();
        disposeTaken();
        bus.all(noting("new"));
        await settle();
      });
      disposeTaken = bus.all(noting("taken"));
      await publish("a");
      expect(calls).to.deep.equal(["taken a"]);
    });
  });

  describe("names", () => {
    it("are those of the options, else of the object, else what the author calls it, numbered", async () => {
      bus.all(noting("a"), { name: "mailer" });
      bus.all({ name: "audit", call() {} });
      bus.all({ name: "audit", call() {} }, { name: "second audit" });
      bus.all(function namedFunction() {});
      bus.all({ call() {} });
      bus.all({ name: " ", call() {} });
      bus.all({ name: 5 as never, call() {} });
      bus.all(
        new (class CardAudit {
          call() {}
        })(),
      );
      bus.all(Object.assign(Object.create(null), { call() {} }));
      expect(await names()).to.deep.equal([
        "mailer",
        "audit",
        "second audit",
        "namedFunction-3",
        "subscriber-4",
        "subscriber-5",
        "subscriber-6",
        "CardAudit-7",
        "subscriber-8",
      ]);
    });

    it("that are given have to be unique in their bus", async () => {
      bus.all(noting("a"), { name: "mailer" });
      expect(() => bus.subscribe("charge.", noting("b"), { name: "mailer" })).to.throw(
        ConfigurationError,
        'a subscriber named "mailer" exists already: give each subscriber of a bus a `name` of its own',
      );
      await publish("charge.paid");
      expect(calls).to.deep.equal(["a charge.paid"]);
    });

    it("may be had by another bus's subscriber, and by one across buses", async () => {
      const notifications = new Notifications();
      const [one, two] = [plainBus({ notifications }), plainBus({ name: "two", notifications })];
      one.all(noting("one"), { name: "mailer" });
      two.all(noting("two"), { name: "mailer" });
      notifications.subscribe("", noting("audit"), { name: "mailer" });
      expect(() => notifications.subscribe("", noting("audit"), { name: "mailer" })).to.throw(ConfigurationError);
      await one.publish(eventOf("a"));
      expect(calls).to.deep.equal(["one a", "audit a"]);
    });

    it("are free again with the end of the subscription", () => {
      bus.all(noting("a"), { name: "mailer" })();
      bus.all(noting("b"), { name: "mailer" });
      expect(bus.listening("a")).to.equal(true);
    });

    it("of objects get a number where they are taken", async () => {
      for (let index = 0; index < 2; index++) bus.all({ name: "audit", call() {} });
      expect(await names()).to.deep.equal(["audit", "audit-1"]);
    });

    it("made up never meet one that was given", async () => {
      bus.all(noting("a"), { name: "subscriber-1" });
      bus.all(noting("b"));
      bus.all(noting("c"), { name: "audit-3" });
      bus.all({ name: "audit", call() {} });
      bus.all({ name: "audit", call() {} });
      const all = await names();
      expect(all).to.deep.equal(["subscriber-1", "subscriber-1+", "audit-3", "audit", "audit-4"]);
    });

    it("are strings that are not empty", () => {
      for (const name of ["", " ", 5, null]) {
        expect(() => bus.all(noting("a"), { name: name as never })).to.throw(
          TypeError,
          "`name` of a subscriber must be a string that is not empty",
        );
      }
      bus.all(noting("a"), { name: undefined } as never);
      expect(bus.listening("a")).to.equal(true);
    });
  });
});
