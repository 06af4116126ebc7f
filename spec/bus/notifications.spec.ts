import { expect } from "chai";
import { EventEmitter } from "eventemitter3";
import { type Listener, type NotificationAdapter, notificationAdapter } from "../../src/bus/adapter.ts";
import { Notifications } from "../../src/bus/notifications.ts";
import type { Step } from "../../src/bus/steps.ts";
import { DispatchError } from "../../src/errors.ts";
import { eventOf, type PlainBus, type PlainEvent, plainBus, rejectionOf } from "../support/bus.ts";
import { settle } from "../support/clock.ts";

/** Named here, so that an object below which has it is seen to mean it. */
const THEN = "then";

const step = (more: Partial<Step> = {}): Step => ({
  name: "hookbus.receive",
  bus: "plain",
  provider: "plain",
  durationMs: 1,
  outcome: "handled",
  ...more,
});

describe("Notifications", () => {
  let notifications: Notifications;
  let plain: PlainBus;
  let other: PlainBus;
  let calls: string[];

  /** A subscriber that notes its name and what it got. */
  const noting = (name: string) => (event: unknown) => void calls.push(`${name} ${(event as PlainEvent).type}`);

  beforeEach(() => {
    notifications = new Notifications();
    plain = plainBus({ notifications });
    other = plainBus({ name: "other", notifications }, { name: "other", namespace: "other_event", delimiter: "/" });
    calls = [];
  });

  describe("across buses", () => {
    it("hears every bus's events under the empty pattern", async () => {
      notifications.subscribe("", noting("audit"));
      await plain.publish(eventOf("charge.paid"));
      await other.publish(eventOf("orders/create"));
      expect(calls).to.deep.equal(["audit charge.paid", "audit orders/create"]);
    });

    it("hears one bus's events under its namespace, with or without the delimiter", async () => {
      notifications.subscribe("plain_event", noting("bare"));
      notifications.subscribe("plain_event.", noting("dotted"));
      notifications.subscribe("other_event/", noting("slashed"));
      notifications.subscribe("plain", noting("half a segment"));
      await plain.publish(eventOf("charge.paid"));
      await other.publish(eventOf("orders/create"));
      expect(calls).to.deep.equal(["bare charge.paid", "dotted charge.paid", "slashed orders/create"]);
    });

    it("hears one type, and a group of types", async () => {
      notifications.subscribe("plain_event.charge.paid", noting("type"));
      notifications.subscribe("plain_event.charge.", noting("group"));
      notifications.subscribe("other_event/orders", noting("slashed"));
      for (const type of ["charge.paid", "charge.created", "charges.paid"]) await plain.publish(eventOf(type));
      for (const type of ["orders/create", "ordersx/create"]) await other.publish(eventOf(type));
      expect(calls).to.deep.equal([
        "type charge.paid",
        "group charge.paid",
        "group charge.created",
        "slashed orders/create",
      ]);
    });

    it("tells which bus it was", async () => {
      notifications.subscribe("", (_, context) => calls.push(`${context.bus} of ${context.provider}`));
      await plain.publish(eventOf("a"));
      await other.publish(eventOf("a"));
      expect(calls).to.deep.equal(["plain of plain", "other of other"]);
    });

    it("is awaited, and a failure there is a failure", async () => {
      notifications.subscribe("", async () => {
        await settle();
        calls.push("late");
        throw new Error("audit is down");
      });
      const error = await rejectionOf(plain.publish(eventOf("a")));
      expect(calls).to.deep.equal(["late"]);
      expect(error).to.be.instanceOf(DispatchError);
      expect((error as DispatchError).errors.map((each) => (each as Error).message)).to.deep.equal(["audit is down"]);
    });

    it("runs in the order of subscription, whatever the patterns and whoever subscribed", async () => {
      plain.subscribe("charge.paid", noting("1"));
      notifications.subscribe("", noting("2"));
      plain.all(noting("3"));
      plain.subscribe("charge.", noting("4"));
      notifications.subscribe("plain_event.charge.paid", noting("5"));
      plain.subscribe("charge", noting("6"));
      plain.subscribe("charge.paid", noting("7"));
      await plain.publish(eventOf("charge.paid"));
      expect(calls.map((call) => call.slice(0, 1)).join("")).to.equal("1234567");
    });

    it("takes a function's or object's subscriptions away, and says whether there were any", async () => {
      const audit = { call: noting("audit") };
      notifications.subscribe("", audit);
      notifications.subscribe("plain_event.", audit);
      plain.all(audit);
      expect(notifications.unsubscribe(audit)).to.equal(true);
      expect(notifications.unsubscribe(audit)).to.equal(false);
      await plain.publish(eventOf("a"));
      expect(calls, "the bus's own subscription stays").to.deep.equal(["audit a"]);
    });

    it("are left alone by a bus's unsubscribe", async () => {
      const audit = noting("audit");
      notifications.subscribe("", audit);
      expect(plain.unsubscribe(audit)).to.equal(false);
      await plain.publish(eventOf("a"));
      expect(calls).to.deep.equal(["audit a"]);
    });

    it("refuses what is no pattern or no subscriber", () => {
      expect(() => notifications.subscribe(5 as never, () => {})).to.throw(TypeError, "`pattern` must be a string");
      expect(() => notifications.subscribe("", {} as never)).to.throw(
        TypeError,
        "`subscriber` must be a function or an object with a `call(event, context)` method",
      );
      expect(() => notifications.subscribe("", () => {}, { timeoutMs: 0 })).to.throw(TypeError, "`timeoutMs` must be");
    });
  });

  describe("shared by two buses of one namespace", () => {
    let twin: PlainBus;

    beforeEach(() => {
      twin = plainBus({ name: "twin", notifications });
    });

    it("keeps each bus's subscribers to its own events", async () => {
      plain.all(noting("plain"));
      twin.all(noting("twin"));
      notifications.subscribe("plain_event.", noting("both"));
      await plain.publish(eventOf("a"));
      await twin.publish(eventOf("b"));
      expect(calls).to.deep.equal(["plain a", "both a", "twin b", "both b"]);
      expect([plain.listening("a"), twin.listening("a")]).to.deep.equal([true, true]);
    });

    it("keeps their subscribers' names apart, and their unsubscribe", async () => {
      const both = noting("both");
      plain.all(both, { name: "one" });
      twin.all(both, { name: "one" });
      expect(plain.unsubscribe(both)).to.equal(true);
      await plain.publish(eventOf("a"));
      await twin.publish(eventOf("b"));
      expect(calls).to.deep.equal(["both b"]);
    });

    it("lets one be set up after the other has subscribers", () => {
      plain.all(noting("plain"));
      twin.namespace = "twin_event";
      twin.adapter = notificationAdapter;
      twin.notifications = new Notifications();
      expect(twin.namespace.value).to.equal("twin_event");
    });
  });

  describe("listening", () => {
    it("says whether anything would hear of a name", () => {
      expect(notifications.listening("plain_event.a")).to.equal(false);
      const dispose = plain.subscribe("a", noting("a"));
      expect(notifications.listening("plain_event.a")).to.equal(true);
      expect(notifications.listening("plain_event.a.b")).to.equal(true);
      expect(notifications.listening("plain_event.ab")).to.equal(false);
      dispose();
      expect(notifications.listening("plain_event.a")).to.equal(false);
    });

    it("goes by the delimiter, and spoils nothing for a bus of another", async () => {
      other.subscribe("orders", noting("orders"));
      expect(notifications.listening("other_event/orders/create")).to.equal(false);
      expect(notifications.listening("other_event/orders/create", "/")).to.equal(true);
      await other.publish(eventOf("orders/create"));
      expect(calls).to.deep.equal(["orders orders/create"]);
    });

    it("tells steps from events", () => {
      notifications.subscribe("", noting("audit"));
      expect(notifications.listening("hookbus.receive")).to.equal(false);
      const dispose = notifications.subscribe("hookbus.receive", () => {});
      expect(notifications.listening("hookbus.receive")).to.equal(true);
      expect(notifications.listening("hookbus.receive", "/")).to.equal(true);
      expect(notifications.listening("hookbus.verify")).to.equal(false);
      dispose();
      expect(notifications.listening("hookbus.receive")).to.equal(false);
    });
  });

  describe("an adapter", () => {
    it("hands over the last argument, and the one before it, however many there are", () => {
      const got: unknown[][] = [];
      const context = { bus: "plain" };
      const many = ["name", "started", "finished", "id", context, "event"] as unknown as Parameters<Listener>;
      notificationAdapter((...args: unknown[]) => got.push(args))(...many);
      notificationAdapter({ call: (...args: unknown[]) => got.push(args) })(...many);
      expect(got).to.deep.equal([
        ["event", context],
        ["event", context],
      ]);
    });

    it("gives the subscriber's result back", () => {
      const args = ["name", {}, 2] as unknown as Parameters<Listener>;
      expect(notificationAdapter((event: number) => event * 2)(...args)).to.equal(4);
      expect(notificationAdapter({ call: (event: number) => event * 3 })(...args)).to.equal(6);
    });

    it("calls an object's method as the object's, and as it is at that time", () => {
      class Counter {
        count = 0;
        call(event: number): void {
          this.count += event;
        }
      }
      const counter = new Counter();
      const listener = notificationAdapter(counter);
      const args = ["name", {}, 2] as unknown as Parameters<Listener>;
      listener(...args);
      counter.call = (event) => {
        counter.count += 10 * event;
      };
      listener(...args);
      expect(counter.count).to.equal(22);
    });

    it("of a bus's own wraps its subscribers, and no others", async () => {
      const wrapping: NotificationAdapter = (subscriber) => {
        const listener = notificationAdapter(subscriber);
        return (...args) => {
          calls.push(`before ${args[0]}`);
          return listener(...args);
        };
      };
      plain.adapter = wrapping;
      plain.all(noting("own"));
      notifications.subscribe("", noting("audit"));
      await plain.publish(eventOf("a"));
      expect(calls).to.deep.equal(["before plain_event.a", "own a", "audit a"]);
    });

    it("has to return a function", () => {
      plain.adapter = (() => undefined) as never;
      expect(() => plain.all(noting("a"))).to.throw(TypeError, "`adapter` must return a function");
      expect(plain.listening("a")).to.equal(false);
    });
  });

  describe("an emitter that was handed in", () => {
    it("holds the listeners, under their full patterns", () => {
      const emitter = new EventEmitter();
      const bus = plainBus({ notifications: new Notifications(emitter) });
      const dispose = bus.subscribe("charge.", noting("a"));
      bus.notifications.subscribe("plain_event.charge.", noting("b"));
      bus.notifications.subscribe("hookbus.", () => {});
      expect(emitter.eventNames()).to.deep.equal(["plain_event.charge.", "hookbus."]);
      expect(emitter.listenerCount("plain_event.charge.")).to.equal(2);
      dispose();
      expect(emitter.listenerCount("plain_event.charge.")).to.equal(1);
    });

    it("reaches the subscribers by an emit from elsewhere, with however many arguments", () => {
      const emitter = new EventEmitter();
      const bus = plainBus({ notifications: new Notifications(emitter) });
      const got: unknown[][] = [];
      bus.subscribe("a", (...args) => got.push(args));
      emitter.emit("plain_event.a", "name", "started", "finished", "id", "payload");
      expect(got).to.deep.equal([["payload", "id"]]);
    });

    it("may have listeners of its own, which are not dispatched to", async () => {
      const emitter = new EventEmitter();
      const bus = plainBus({ notifications: new Notifications(emitter) });
      emitter.on("plain_event.a", () => calls.push("stranger"));
      bus.subscribe("a", noting("own"));
      await bus.publish(eventOf("a"));
      expect(calls).to.deep.equal(["own a"]);
    });
  });

  describe("steps", () => {
    it("are seen by those who name them, all of them or one", () => {
      for (const pattern of ["hookbus", "hookbus.", "hookbus.receive", "hookbus.verify"] as const) {
        notifications.subscribe(pattern, ({ outcome }) => calls.push(`${pattern} ${outcome}`));
      }
      notifications.emitStep(step());
      notifications.emitStep(step({ name: "hookbus.verify", outcome: "rejected" }));
      expect(calls).to.deep.equal([
        "hookbus handled",
        "hookbus. handled",
        "hookbus.receive handled",
        "hookbus rejected",
        "hookbus. rejected",
        "hookbus.verify rejected",
      ]);
    });

    it("are no events to anybody else", async () => {
      notifications.subscribe("", noting("audit"));
      notifications.subscribe("hook", noting("half a segment"));
      plain.all(noting("all"));
      notifications.emitStep(step());
      await plain.publish(eventOf("a"));
      expect(calls).to.deep.equal(["audit a", "all a"]);
    });

    it("are not taken for the events of a namespace that only begins like theirs", async () => {
      const bus = plainBus({ notifications }, { namespace: "hookbusy" });
      notifications.subscribe("hookbusy.", noting("audit"));
      await bus.publish(eventOf("a"));
      expect(calls).to.deep.equal(["audit a"]);
    });

    it("are handed over as they are, before the call returns", () => {
      const seen: Step[] = [];
      notifications.subscribe("hookbus.", (each) => seen.push(each));
      const receipt = step({ status: 200, id: "evt_1" });
      notifications.emitStep(receipt);
      expect(seen[0]).to.equal(receipt);
    });

    it("are told by a bus with its name and its provider's", () => {
      const seen: Step[] = [];
      notifications.subscribe("hookbus.verify", (each) => seen.push(each));
      plainBus({ name: "mexico", notifications }).step({ name: "hookbus.verify", durationMs: 1, outcome: "verified" });
      expect(seen).to.deep.equal([
        { name: "hookbus.verify", bus: "mexico", provider: "plain", durationMs: 1, outcome: "verified" },
      ]);
    });

    it("are told of each subscriber's run", async () => {
      const seen: Step[] = [];
      notifications.subscribe("hookbus.deliver", (each) => seen.push(each));
      const event = eventOf("a");
      const failure = new Error("no");
      plain.all(() => {}, { name: "well" });
      plain.all(() => Promise.reject(failure), { name: "ill" });
      await rejectionOf(plain.publish(event));
      const facts = { name: "hookbus.deliver", bus: "plain", provider: "plain", id: event.id, type: "a" };
      expect(seen.map(({ durationMs, ...rest }) => rest)).to.deep.equal([
        { ...facts, verifiedBy: "nothing", subscriber: "well", outcome: "handled" },
        { ...facts, verifiedBy: "nothing", subscriber: "ill", outcome: "failed", error: failure },
      ]);
      for (const { durationMs } of seen) expect(durationMs).to.be.within(0, 5_000);
    });

    it("of what went well are made for those alone who ask for them, whatever the log is told", async () => {
      const told: string[] = [];
      notifications.log(({ name }) => told.push(name));
      const bus = plainBus({ notifications });
      bus.subscribe("a", () => {});
      await bus.publish(eventOf("a"));
      expect(told).to.deep.equal([]);
      expect(notifications.hears("hookbus.deliver")).to.equal(false);
      bus.subscribe("b", () => Promise.reject(new Error("no")));
      await bus.publish(eventOf("b")).catch(() => undefined);
      expect(told).to.deep.equal(["hookbus.deliver"]);
      notifications.subscribe("hookbus.deliver", () => undefined);
      expect(notifications.hears("hookbus.deliver")).to.equal(true);
      expect(notifications.hears("hookbus.verify")).to.equal(false);
      await bus.publish(eventOf("a"));
      expect(told).to.have.length(2);
    });

    it("harm nothing by a listener that throws, rejects, or does so with a promise of another make", async () => {
      const foreign: PromiseLike<never> = {
        [THEN]: (_: unknown, onRejected?: ((reason: unknown) => unknown) | null) => {
          calls.push(typeof onRejected);
          return onRejected?.(new Error("foreign")) as never;
        },
      };
      notifications.subscribe("hookbus.", () => {
        throw new Error("sync");
      });
      notifications.subscribe("hookbus.", () => Promise.reject(new Error("async")));
      notifications.subscribe("hookbus.", () => foreign);
      notifications.subscribe("hookbus.", () => calls.push("last"));
      plain.all(noting("all"));
      await plain.publish(eventOf("a"));
      await settle();
      expect(calls).to.deep.equal(["all a", "function", "last"]);
    });

    it("stop with the disposer, and with unsubscribe", () => {
      const listener = (): void => void calls.push("heard");
      const dispose = notifications.subscribe("hookbus.", listener);
      notifications.emitStep(step());
      dispose();
      dispose();
      notifications.emitStep(step());
      expect(calls).to.have.length(1);

      notifications.subscribe("hookbus.", listener);
      notifications.subscribe("hookbus.receive", listener);
      notifications.subscribe("hookbus.", () => calls.push("other"));
      expect(notifications.unsubscribe(listener)).to.equal(true);
      expect(notifications.unsubscribe(listener)).to.equal(false);
      notifications.emitStep(step());
      expect(calls).to.deep.equal(["heard", "other"]);
    });

    it("want a function", () => {
      expect(() => notifications.subscribe("hookbus.", { call() {} } as never)).to.throw(
        TypeError,
        "`listener` of hookbus's steps must be a function",
      );
    });
  });

  describe("the resolved list", () => {
    const resolved = (type: string) => plain.subscriptionsFor(type);

    it("is remembered", () => {
      plain.subscribe("a", noting("a"));
      expect(resolved("a.b")).to.have.length(1);
      expect(resolved("a.b")).to.equal(resolved("a.b"));
    });

    it("is found anew after each subscription, and after each end of one", async () => {
      plain.subscribe("charge.paid", noting("1"));
      await plain.publish(eventOf("charge.paid"));
      const dispose = plain.subscribe("charge.", noting("2"));
      await plain.publish(eventOf("charge.paid"));
      dispose();
      await plain.publish(eventOf("charge.paid"));
      expect(calls.map((call) => call[0]).join("")).to.equal("1121");
    });

    it("is not another's: neither another bus's nor that of another delimiter", () => {
      plain.all(noting("plain"));
      notifications.subscribe("plain_event.a", noting("audit"));
      const scopes = new Set(plain.subscriptionsFor("a").map(({ scope }) => scope));
      const [own] = [...scopes].filter((scope) => scope !== "");
      expect(notifications.resolve("plain_event.a", ".", "")).to.have.length(1);
      expect(notifications.resolve("plain_event.a", ".", own ?? "")).to.have.length(2);
      expect(notifications.resolve("plain_event.a.b", "/", "")).to.have.length(0);
      expect(notifications.resolve("plain_event.a.b", ".", "")).to.have.length(1);
    });

    it("is found anew when the notifications or the namespace are replaced", () => {
      const shared = new Notifications();
      shared.subscribe("plain_event.a", noting("shared"));
      notifications.subscribe("other_event.a", noting("other"));
      expect(resolved("a")).to.have.length(0);
      // As many subscriptions as were ever made on the notifications that it takes the place of.
      plain.notifications = shared;
      expect(resolved("a")).to.have.length(1);
      plain.namespace = "other_event";
      expect(resolved("a")).to.have.length(0);
    });

    it("is remembered for five thousand types and no more, the latest used", () => {
      const first = resolved("type-0");
      for (let index = 1; index < 5_000; index++) resolved(`type-${index}`);
      const second = resolved("type-1");
      expect(resolved("type-0"), "five thousand are remembered").to.equal(first);
      resolved("one more");
      expect(resolved("type-0"), "in use").to.equal(first);
      expect(resolved("type-1"), "in use").to.equal(second);
      for (let index = 0; index < 5_000; index++) resolved(`hostile-${index}`);
      expect(resolved("type-0"), "forgotten").not.to.equal(first);
    });
  });
});
