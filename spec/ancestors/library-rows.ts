import { expect } from "chai";
import { notificationAdapter } from "../../src/bus/adapter.ts";
import { Namespace } from "../../src/bus/namespace.ts";
import type { Disposer, Subscriber } from "../../src/bus/subscriber.ts";
import type { EventBus } from "../../src/event-bus.ts";
import type { Harness } from "./harness.ts";

/** A bus whose types do not matter: the rows are the same for both gems. */
type AnyBus = EventBus<Record<never, never>, { readonly id: string; readonly type: string }>;

export interface LibraryRows {
  /** A bus with an API key, and nothing else set. */
  readonly bus: () => unknown;
  readonly harness: Harness;
  /** An event of `type` under `id`, as the API answers it. */
  readonly event: (id: string, type: string) => Record<string, unknown>;
  /** The default namespace: `"stripe_event"`. */
  readonly namespace: string;
}

/** The rows of the gem's `spec/lib`, which ConektaEvent took over from StripeEvent. */
export function libraryRows({ bus: make, harness, event, namespace: prefix }: LibraryRows): void {
  let bus: AnyBus;
  let events: unknown[];

  const note = (each: unknown): void => void events.push(each);

  /** A class whose instances respond to `call`, as in the gem's specs. */
  class Noting {
    call(each: unknown): void {
      note(each);
    }
  }

  const [charge, created, updated] = [
    event("evt_charge", "charge.succeeded"),
    event("evt_card_created", "customer.card.created"),
    event("evt_card_updated", "customer.card.updated"),
  ] as const;

  /** The gem's `StripeEvent.instrument(evt)`, with the API stubbed: subscribers get what the API answers. */
  const instrument = async (...all: readonly Record<string, unknown>[]): Promise<void> => {
    for (const each of all) {
      harness.stubEvent(String(each["id"]), each);
      await bus.instrument({ id: each["id"] });
    }
  };

  beforeEach(() => {
    bus = make() as AnyBus;
    events = [];
  });

  describe(".configure", () => {
    it("A1: yields itself to the block", () => {
      let yielded: unknown;
      bus.configure((each) => {
        yielded = each;
      });
      expect(yielded).to.equal(bus);
    });

    it("A2: requires a block argument: TypeError where the gem raises ArgumentError", () => {
      expect(() => Reflect.apply(bus.configure, bus, [])).to.throw(TypeError, "`configure` needs a function");
    });

    it("A3: .setup is another name of configure, and gives the bus as an argument where the gem gives it as self", () => {
      const seen: unknown[] = [];
      bus.setup(function (this: unknown, ...args: unknown[]) {
        seen.push(this, ...args);
      });
      expect(seen).to.have.length(2);
      expect(seen[0]).not.to.equal(bus);
      expect(seen[1]).to.equal(bus);
    });
  });

  const kinds: readonly (readonly [string, () => Subscriber<unknown>])[] = [
    ["a block subscriber", () => note],
    ["a subscriber that responds to #call", () => new Noting()],
  ];
  const title = (ids: readonly [string, string], index: number, text: string): string => `${ids[index]}: ${text}`;

  for (const [index, [kind, subscriber]] of kinds.entries()) {
    describe(`with ${kind}`, () => {
      it(title(["A4", "A5"], index, "calls the subscriber with the retrieved event"), async () => {
        bus.subscribe("charge.succeeded", subscriber() as () => void);
        await instrument(charge, created);
        expect(events).to.deep.equal([charge]);
      });

      const pattern = ["customer.card", "customer.card."][index] ?? "";
      it(title(["A6", "A7"], index, `calls the subscriber with any events in the namespace "${pattern}"`), async () => {
        bus.subscribe(pattern, subscriber() as () => void);
        await instrument(charge, created, updated);
        expect(events).to.deep.equal([created, updated]);
      });

      it(title(["A8", "A9"], index, "calls the subscriber with all retrieved events"), async () => {
        bus.all(subscriber() as () => void);
        await instrument(charge, created);
        expect(events).to.deep.equal([charge, created]);
      });
    });
  }

  describe("subscribing to a namespace of event types", () => {
    it("A6b: charge.refund does not get charge.refunded, where the gem delivers it", async () => {
      const below = event("evt_refund_updated", "charge.refund.updated");
      bus.subscribe("charge.refund", note);
      await instrument(event("evt_refunded", "charge.refunded"), below);
      expect(events).to.deep.equal([below]);
    });

    it("A6c: customer. does not get customer_cash_balance_transaction.created, nor does customer, where the gem delivers it to the latter", async () => {
      bus.subscribe("customer.", note);
      bus.subscribe("customer", note);
      await instrument(event("evt_cash", "customer_cash_balance_transaction.created"));
      expect(events).to.deep.equal([]);
      await instrument(created);
      expect(events).to.deep.equal([created, created]);
    });
  });

  describe(".listening?", () => {
    it("A10: returns true when there is a subscriber for a matching event type", () => {
      bus.subscribe("customer.", note);
      expect([bus.listening("customer.card"), bus.listening("customer.")]).to.deep.equal([true, true]);
    });

    it("A11: returns false when there is not a subscriber for a matching event type", () => {
      bus.subscribe("customer.", note);
      expect(bus.listening("account")).to.equal(false);
    });

    it("A12: returns true when a subscriber is subscribed to all events", () => {
      bus.all(note);
      expect([bus.listening("customer."), bus.listening("account")]).to.deep.equal([true, true]);
    });

    it("A12b: returns false again after the last matching subscriber has gone", () => {
      const disposers: Disposer[] = [bus.all(note), bus.subscribe("customer.", note)];
      for (const dispose of disposers) {
        expect(bus.listening("customer.card")).to.equal(true);
        dispose();
      }
      expect(bus.listening("customer.card")).to.equal(false);
    });
  });

  describe("NotificationAdapter", () => {
    it("A13: calls the subscriber with the last argument", () => {
      const listener = notificationAdapter(new Noting());
      Reflect.apply(listener, undefined, ["name", "started", "finished", "id", "payload"]);
      expect(events).to.deep.equal(["payload"]);
    });
  });

  describe("Namespace", () => {
    it("A14: #call prepends the namespace to a given string", () => {
      expect(new Namespace(prefix).call("foo.bar")).to.equal(`${prefix}.foo.bar`);
      expect(bus.namespace.call("foo.bar")).to.equal(`${prefix}.foo.bar`);
    });

    it("A15: #call returns the namespace given no arguments", () => {
      expect(bus.namespace.call()).to.equal(`${prefix}.`);
    });

    it("A16: #toRegExp matches namespaced strings, up to the bounds of a segment, where the gem's #to_regexp goes on", () => {
      const expression = bus.namespace.toRegExp("foo.bar");
      expect(`${prefix}.foo.bar`).to.match(expression);
      expect(`${prefix}.foo.bar.baz`).to.match(expression);
      expect(`${prefix}.foo.barbaz`).not.to.match(expression);
    });

    it("A17: #toRegExp matches all namespaced strings given no arguments", () => {
      expect(`${prefix}.foo.bar`).to.match(bus.namespace.toRegExp());
      expect("other_event.foo.bar").not.to.match(bus.namespace.toRegExp());
    });
  });
}
