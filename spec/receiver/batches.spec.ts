import { expect } from "chai";
import {
  PayloadError,
  ProcessError,
  ProviderUnavailableError,
  Reject,
  RetryLater,
  StoreUnavailableError,
} from "../../src/errors.ts";
import type { EventBus } from "../../src/event-bus.ts";
import { memoryIdempotency } from "../../src/idempotency/memory.ts";
import type { Receipt } from "../../src/receiver/receipt.ts";
import type { Mount } from "../../src/receiver/request.ts";
import { type PlainEvent, plainEventBus } from "../support/bus.ts";
import { deferred, logOf, RECEIVED, REFUSED, stepsOf } from "./harness.ts";

type PlainEventBus = EventBus<Record<never, never>, PlainEvent>;

/** A bus whose deliveries are lists of events. */
function batchBus(overrides: Parameters<typeof plainEventBus>[1] = {}): PlainEventBus {
  const bus = plainEventBus(
    {},
    {
      read: (payload) =>
        (payload as PlainEvent[]).map((event) => {
          return { id: event.id, type: event.type, key: `key ${event.id}`, data: event.data, event };
        }),
      ...overrides,
    },
  );
  bus.signingSecrets = "secret";
  return bus;
}

const list = (...types: string[]): PlainEvent[] => types.map((type, index) => ({ id: `evt_${index}`, type }));

function post(bus: PlainEventBus, payload: unknown, mount?: Mount): Promise<Receipt> {
  const body = Buffer.from(JSON.stringify(payload));
  const head = { method: "POST", url: "/", headers: { "signed-by": "signingSecrets" } };
  return bus.respond(head, () => Promise.resolve(body), mount);
}

/** Subscribes one that throws what `errors` holds for a type, and remembers the ids it ran for. */
function failing(bus: PlainEventBus, errors: Record<string, unknown>): string[] {
  const ran: string[] = [];
  bus.all((event) => {
    ran.push(event.id);
    if (errors[event.type] !== undefined) throw errors[event.type];
  });
  return ran;
}

describe("a delivery of many events", () => {
  it("tells of each that came with other data than before, whatever became of the others", async () => {
    const bus = batchBus();
    bus.all(() => undefined);
    const known = { id: "evt_known", type: "a", data: { amount: 1 } };
    await post(bus, [known]);
    const steps = stepsOf(bus, "hookbus.receive");
    const receipt = await post(bus, [
      { id: "evt_new", type: "a", data: {} },
      { ...known, data: { amount: 2 } },
    ]);
    expect(receipt).to.include({ status: 200, outcome: "handled" });
    expect(steps.map(({ outcome, id }) => [outcome, id])).to.deep.equal([["handled", "evt_new"]]);
    expect(logOf(bus)).to.have.length(1);
    expect(JSON.stringify(logOf(bus)[0]))
      .to.include("other data")
      .and.include("evt_known");
  });

  it("is handled event by event, in its order, each under its own key", async () => {
    const bus = batchBus();
    const seen: [string, string, string][] = [];
    bus.all((event, { id, type, key }) => {
      expect(event).to.include({ id, type });
      seen.push([id, type, key]);
    });
    expect(await post(bus, list("a.b", "c.d", "a.b"))).to.include({ status: 200, body: RECEIVED, outcome: "handled" });
    expect(seen).to.deep.equal([
      ["evt_0", "a.b", "plain:key evt_0"],
      ["evt_1", "c.d", "plain:key evt_1"],
      ["evt_2", "a.b", "plain:key evt_2"],
    ]);
  });

  it("runs one event after the other", async () => {
    const bus = batchBus();
    const [begun, finish] = [deferred(), deferred()];
    const ran: string[] = [];
    bus.all(async ({ id }) => {
      ran.push(id);
      begun.resolve();
      await finish.promise;
    });
    const receipt = post(bus, list("a", "b"));
    await begun.promise;
    expect(ran).to.deep.equal(["evt_0"]);
    finish.resolve();
    expect(await receipt).to.include({ status: 200 });
    expect(ran).to.deep.equal(["evt_0", "evt_1"]);
  });

  it("runs the rest when one of them fails, and answers for that one", async () => {
    const bus = batchBus();
    const ran = failing(bus, { bad: new Error("no") });
    expect(await post(bus, list("good", "bad", "good"))).to.include({ status: 500, body: REFUSED, outcome: "failed" });
    expect(ran).to.deep.equal(["evt_0", "evt_1", "evt_2"]);
  });

  it("runs only what failed when it comes again", async () => {
    const bus = batchBus();
    const errors: Record<string, unknown> = { bad: new Error("no") };
    const ran = failing(bus, errors);
    await post(bus, list("good", "bad", "good"));
    ran.length = 0;
    delete errors["bad"];
    expect(await post(bus, list("good", "bad", "good"))).to.include({ status: 200, outcome: "handled" });
    expect(ran).to.deep.equal(["evt_1"]);
    expect(await post(bus, list("good", "bad", "good"))).to.include({ status: 200, outcome: "duplicate" });
    expect(ran).to.deep.equal(["evt_1"]);
  });

  const worst: [types: string[], status: number][] = [
    [["reject", "good"], 200],
    [["process", "good"], 422],
    [["process", "fault"], 500],
    [["fault", "process"], 500],
    [["fault", "later", "process"], 503],
    [["later", "fault"], 503],
    [["good", "reject", "process"], 422],
  ];
  for (const [types, status] of worst) {
    it(`is answered ${status} when it comes to ${types.join(", ")}`, async () => {
      const bus = batchBus();
      failing(bus, {
        reject: new Reject("no"),
        process: new ProcessError("no"),
        fault: new Error("no"),
        later: new RetryLater(7),
      });
      const receipt = await post(bus, list(...types));
      expect(receipt.status).to.equal(status);
      expect(receipt.headers["retry-after"]).to.equal(status === 503 ? "7" : undefined);
    });
  }

  it("asks for the longest wait that any of its events asks for", async () => {
    const bus = batchBus();
    failing(bus, { soon: new RetryLater(7), late: new RetryLater(90), between: new RetryLater(30) });
    const receipt = await post(bus, list("soon", "late", "between"));
    expect([receipt.status, receipt.headers["retry-after"]]).to.deep.equal([503, "90"]);
  });

  it("is answered 409 when another run holds one of its events, and the others are handled", async () => {
    const bus = batchBus();
    const store = memoryIdempotency();
    bus.idempotency = store;
    await store.claim("plain:key evt_1", { leaseMs: 10_000, fingerprint: "x" });
    const ran = failing(bus, {});
    const receipt = await post(bus, list("a", "b", "c"));
    expect(receipt).to.include({ status: 409, body: REFUSED });
    expect(receipt.headers).to.include({ "retry-after": "5" });
    expect(ran).to.deep.equal(["evt_0", "evt_2"]);
  });

  it("prefers a fault to an event that is busy", async () => {
    const bus = batchBus();
    const store = memoryIdempotency();
    bus.idempotency = store;
    await store.claim("plain:key evt_0", { leaseMs: 10_000, fingerprint: "x" });
    failing(bus, { bad: new Error("no") });
    expect(await post(bus, list("a", "bad"))).to.include({ status: 500 });
  });

  it("is answered 503 when the store fails for one of its events", async () => {
    const bus = batchBus();
    const store = memoryIdempotency();
    bus.idempotency = {
      volatile: true,
      claim: (key, options) => {
        if (key.endsWith("evt_0")) throw new StoreUnavailableError("down");
        return store.claim(key, options);
      },
      extend: (...args) => store.extend(...args),
      markDone: (...args) => store.markDone(...args),
      complete: (...args) => store.complete(...args),
      release: (...args) => store.release(...args),
    } as typeof bus.idempotency;
    const ran = failing(bus, {});
    expect(await post(bus, list("a", "b"))).to.include({ status: 503 });
    expect(ran).to.deep.equal(["evt_1"]);
  });

  it("that holds one event twice runs it once", async () => {
    const bus = batchBus();
    const ran = failing(bus, {});
    const [event] = list("a");
    expect(await post(bus, [event, event])).to.include({ status: 200, outcome: "handled" });
    expect(ran).to.deep.equal(["evt_0"]);
  });

  it("is handled when one of its events is, and ignored when none is", async () => {
    const bus = batchBus();
    bus.eventFilter = (event) => ((event as PlainEvent).type === "a" ? event : null) as never;
    const ran = failing(bus, {});
    expect(await post(bus, list("b", "a"))).to.include({ status: 200, outcome: "handled" });
    expect(await post(bus, list("b"))).to.include({ status: 200, outcome: "ignored" });
    expect(ran).to.deep.equal(["evt_1"]);
  });

  it("is refused as a whole, before any event is handled, when one of them has no type", async () => {
    const bus = batchBus();
    const ran = failing(bus, {});
    expect(await post(bus, [...list("a"), { id: "evt_9" }])).to.include({ status: 400, outcome: "rejected" });
    expect(ran).to.deep.equal([]);
  });

  it("is refused when it holds no event", async () => {
    const bus = batchBus();
    expect(await post(bus, [])).to.include({ status: 400, outcome: "rejected" });
    expect(logOf(bus)[0]?.fields).to.include({ message: "the delivery holds no event" });
  });

  it("tells the listener of every failure, the worst first", async () => {
    const bus = batchBus();
    failing(bus, { process: new ProcessError("no"), fault: new Error("no") });
    const told: unknown[] = [];
    bus.onError = (_error, { id, type }) => told.push([id, type]);
    await post(bus, list("process", "good", "fault"));
    expect(told).to.deep.equal([
      ["evt_2", "fault"],
      ["evt_0", "process"],
    ]);
  });

  it("is told of in one step", async () => {
    const bus = batchBus();
    failing(bus, { bad: new Error("no") });
    const steps = stepsOf(bus, "hookbus.receive");
    await post(bus, list("good", "bad"));
    expect(steps).to.have.length(1);
    expect(steps[0]).to.include({ status: 500, outcome: "failed", id: "evt_1", type: "bad" });
  });
});

describe("a mount with types", () => {
  const one = (type: string) => ({ id: `evt_${type}`, type });
  const single = () => {
    const bus = plainEventBus();
    bus.signingSecrets = "secret";
    return { bus, ran: failing(bus, {}) };
  };

  it("delivers the types that its patterns match", async () => {
    const { bus, ran } = single();
    const mount = { types: ["push", "issues."] };
    for (const type of ["push", "push.forced", "issues.opened"]) {
      expect(await post(bus, one(type), mount), type).to.include({ status: 200, outcome: "handled" });
    }
    expect(ran).to.have.length(3);
  });

  it("acknowledges and ignores the others, and says so", async () => {
    const { bus, ran } = single();
    const steps = stepsOf(bus, "hookbus.receive");
    for (const type of ["pushed", "issues", "ping"]) {
      const receipt = await post(bus, one(type), { types: ["push", "issues."] });
      expect(receipt, type).to.include({ status: 200, body: RECEIVED, outcome: "ignored" });
    }
    expect(ran).to.deep.equal([]);
    for (const step of steps) expect(step).to.include({ outcome: "ignored", reason: "types" });
  });

  it("does not remember what it ignored: another mount handles it", async () => {
    const { bus, ran } = single();
    await post(bus, one("ping"), { types: ["push"] });
    expect(await post(bus, one("ping"), { types: ["ping"] })).to.include({ outcome: "handled" });
    expect(await post(bus, one("push"))).to.include({ outcome: "handled" });
    expect(ran).to.deep.equal(["evt_ping", "evt_push"]);
  });

  it("ignores everything with an empty list, and nothing with the empty pattern", async () => {
    const { bus, ran } = single();
    expect(await post(bus, one("a"), { types: [] })).to.include({ outcome: "ignored" });
    expect(await post(bus, one("a"), { types: [""] })).to.include({ outcome: "handled" });
    expect(ran).to.deep.equal(["evt_a"]);
  });

  it("does not ask the filter about what it ignores", async () => {
    const { bus } = single();
    let asked = 0;
    bus.eventFilter = (event) => {
      asked++;
      return event;
    };
    await post(bus, one("a"), { types: ["b"] });
    expect(asked).to.equal(0);
  });

  it("picks from a delivery of many events", async () => {
    const bus = batchBus();
    const ran = failing(bus, {});
    expect(await post(bus, list("a", "b", "a.c"), { types: ["a"] })).to.include({ outcome: "handled" });
    expect(ran).to.deep.equal(["evt_0", "evt_2"]);
  });

  it("answers as the provider wants it", async () => {
    const success = { status: 202, headers: { "x-ok": "1" }, body: "ok" };
    const bus = plainEventBus({}, { success });
    bus.signingSecrets = "secret";
    expect(await post(bus, one("a"), { types: ["b"] })).to.deep.include({ ...success, outcome: "ignored" });
  });
});

describe("a provider that verifies in its own time", () => {
  const event = { id: "evt_1", type: "a.b" };

  it("is waited for", async () => {
    const verdict = deferred();
    const bus = plainEventBus(
      {},
      {
        verify: async (_request, { keys }) => {
          await verdict.promise;
          return { verified: true, matchedSecret: keys[0]?.label ?? "" };
        },
      },
    );
    bus.signingSecrets = "secret";
    const ran = failing(bus, {});
    const steps = stepsOf(bus);
    const receipt = post(bus, event);
    await new Promise((resolve) => setImmediate(resolve));
    expect(ran).to.deep.equal([]);
    verdict.resolve();
    expect(await receipt).to.include({ status: 200, outcome: "handled" });
    expect(ran).to.deep.equal(["evt_1"]);
    expect(steps[0]).to.include({ name: "hookbus.verify", outcome: "verified", matchedSecret: "signingSecrets" });
  });

  it("can refuse", async () => {
    const bus = plainEventBus({}, { verify: async () => ({ verified: false, reason: "bad_signature" }) });
    bus.signingSecrets = "secret";
    const ran = failing(bus, {});
    expect(await post(bus, event)).to.include({ status: 401, body: REFUSED, outcome: "rejected" });
    expect(ran).to.deep.equal([]);
  });

  it("is answered 503 with Retry-After when what it needs cannot be had", async () => {
    const bus = plainEventBus(
      {},
      {
        verify: () => Promise.reject(new ProviderUnavailableError("no certificate", { retryAfterSeconds: 30 })),
      },
    );
    bus.signingSecrets = "secret";
    const ran = failing(bus, {});
    const receipt = await post(bus, event);
    expect(receipt).to.include({ status: 503, body: REFUSED, outcome: "failed" });
    expect(receipt.headers).to.include({ "retry-after": "30" });
    expect(ran).to.deep.equal([]);
  });

  it("is answered 500 when it breaks, and 400 when it finds no payload", async () => {
    for (const [error, status] of [
      [new Error("bug"), 500],
      [new PayloadError("odd"), 400],
    ] as const) {
      const bus = plainEventBus({}, { verify: () => Promise.reject(error) });
      bus.signingSecrets = "secret";
      expect(await post(bus, event)).to.include({ status });
    }
  });
});
