import { runInNewContext } from "node:vm";
import { expect } from "chai";
import type { Step } from "../../src/bus/steps.ts";
import { DispatchError, RetrievalRefusedError } from "../../src/errors.ts";
import type { BodyReader } from "../../src/receiver/request.ts";
import { settle } from "../support/clock.ts";
import { json, StandIn } from "../support/standin.ts";
import {
  anEvent,
  bytes,
  Closing,
  deferred,
  fetchingStripeBus,
  idsOf,
  logOf,
  RECEIVED,
  REFUSED,
  serve,
  signed,
  stripeBus,
} from "./harness.ts";

describe("onError", () => {
  const closing = new Closing();
  afterEach(() => closing.close());

  it("gets the error itself, and whose it is", async () => {
    const bus = stripeBus();
    const told: unknown[] = [];
    bus.onError = (...args) => told.push(args);
    const mine = new Error("mine");
    bus.subscribe("charge.", () => Promise.reject(mine), { name: "broken" });
    const wire = closing.add(await serve(bus));
    const event = anEvent();
    await wire.deliver(event);
    expect(told).to.have.length(1);
    const [[error, delivery]] = told as [[DispatchError, object]];
    expect(error).to.be.an.instanceOf(DispatchError);
    expect(error.errors).to.deep.equal([mine]);
    expect(delivery).to.deep.equal({ bus: "stripe", id: event.id, type: "charge.succeeded" });
  });

  it("gets what failed before the event was known", async () => {
    const api = closing.add(await StandIn.start());
    api.answer = json(401, { error: { message: "no" } });
    const bus = fetchingStripeBus({ apiBase: api.apiBase });
    const told: unknown[] = [];
    bus.onError = (...args) => told.push(...args);
    const wire = closing.add(await serve(bus));
    await wire.post(anEvent());
    expect(told).to.have.length(2);
    expect(told[0]).to.be.an.instanceOf(RetrievalRefusedError);
    expect((told[0] as Error).cause).to.have.property("statusCode", 401);
    expect(told[1]).to.deep.equal({ bus: "stripe", id: undefined, type: undefined });
  });

  it("is not called for what senders do wrong, nor for what goes well", async () => {
    const bus = stripeBus();
    const told: unknown[] = [];
    bus.onError = (error) => told.push(error);
    const wire = closing.add(await serve(bus));
    await wire.post(anEvent());
    await wire.deliver("5");
    await wire.deliver(anEvent());
    await wire.post("", { method: "GET" });
    expect(told).to.deep.equal([]);
  });

  const troubles: [title: string, listener: () => unknown][] = [
    [
      "throws",
      () => {
        throw new Error("listener");
      },
    ],
    ["rejects", () => Promise.reject(new Error("listener"))],
    ["rejects later", () => settle().then(() => Promise.reject(new Error("listener")))],
    ["never settles", () => new Promise(() => {})],
  ];
  for (const [title, listener] of troubles) {
    it(`harms nothing when it ${title}`, async () => {
      const bus = stripeBus();
      let told = 0;
      bus.onError = () => {
        told += 1;
        return listener() as never;
      };
      let broken = true;
      bus.all(() => {
        if (broken) throw new Error("mine");
      });
      const unhandled: unknown[] = [];
      const earlier = process.listeners("unhandledRejection");
      process.removeAllListeners("unhandledRejection");
      const note = (reason: unknown): number => unhandled.push(reason);
      process.on("unhandledRejection", note);
      try {
        const wire = closing.add(await serve(bus));
        const event = anEvent();
        expect(await wire.deliver(event)).to.deep.include({ status: 500, body: REFUSED });
        await settle();
        await settle();
        expect(unhandled).to.deep.equal([]);
        expect(told).to.equal(1);
        expect(logOf(bus)).to.have.length(2);
        broken = false;
        expect(await wire.deliver(event)).to.deep.include({ status: 200, body: RECEIVED });
      } finally {
        process.off("unhandledRejection", note);
        for (const each of earlier) process.on("unhandledRejection", each);
      }
    });
  }
});

describe("a listener of hookbus's steps", () => {
  it("cannot fail a receipt, nor can a logger", async () => {
    const bus = stripeBus();
    const broken = (): never => {
      throw new Error("no logs today");
    };
    bus.logger = { info: broken, warn: broken, error: broken };
    bus.notifications.subscribe("hookbus.", broken);
    const receive = (body: Buffer, headers: Record<string, string>) =>
      bus.receive({ method: "POST", url: "/", headers, body });
    const body = bytes(anEvent());
    expect(await receive(body, {})).to.include({ status: 401 });
    expect(await receive(body, signed(body))).to.include({ status: 200 });
    bus.all(() => Promise.reject(new Error("mine")));
    const other = bytes(anEvent());
    expect(await receive(other, signed(other))).to.include({ status: 500 });
  });
});

describe("hookbus.receive", () => {
  const closing = new Closing();
  afterEach(() => closing.close());

  it("is no news to a listener that comes while the delivery goes on, but to the log", async () => {
    const bus = stripeBus();
    const steps: Step[] = [];
    const gate = deferred();
    const started = deferred();
    bus.all(async () => {
      started.resolve();
      await gate.promise;
      throw new Error("mine");
    });
    const wire = closing.add(await serve(bus));
    const first = wire.deliver(anEvent());
    await started.promise;
    bus.notifications.subscribe("hookbus.receive", (step) => steps.push(step));
    gate.resolve();
    await first;
    expect(steps).to.deep.equal([]);
    expect(logOf(bus).filter(({ message }) => message.includes("delivery failed"))).to.have.length(1);
    await wire.deliver(anEvent());
    expect(steps.map(({ outcome, status }) => [outcome, status])).to.deep.equal([["failed", 500]]);
    expect(steps[0]?.durationMs).to.be.a("number").and.not.NaN;
  });
});

describe("a reader of bodies", () => {
  const event = anEvent();
  const body = bytes(event);
  const ForeignPromise = runInNewContext("Promise") as PromiseConstructor;
  const ForeignBytes = runInNewContext("Uint8Array") as Uint8ArrayConstructor;
  // biome-ignore lint/suspicious/noThenProperty: a promise of somebody's own making.
  const thenable = { then: (resolve: (body: Uint8Array) => void) => resolve(body) };
  const readers: [title: string, read: BodyReader][] = [
    ["a promise of another realm", () => ForeignPromise.resolve(body)],
    ["a promise of another make", () => thenable as unknown as Promise<Uint8Array>],
    ["bytes of another realm", () => new ForeignBytes(body)],
    ["a promise for bytes of another realm", () => Promise.resolve(new ForeignBytes(body))],
  ];
  for (const [title, read] of readers) {
    it(`may give ${title}`, async () => {
      const bus = stripeBus();
      const ids = idsOf(bus);
      const head = { method: "POST", url: "/", headers: signed(body) };
      expect((await bus.respond(head, read)).outcome).to.equal("handled");
      expect(ids).to.deep.equal([event.id]);
      const forged = { ...head, headers: signed(body, Date.now(), "whsec_of_somebody_else") };
      expect((await bus.respond(forged, read)).status).to.equal(401);
    });
  }

  it("that throws or rejects ends in a receipt", async () => {
    const bus = stripeBus();
    const head = { method: "POST", url: "/", headers: signed(body) };
    const thrown: BodyReader = () => {
      throw new Error("mine");
    };
    for (const read of [
      thrown,
      () => Promise.reject(new Error("mine")),
      () => ForeignPromise.reject(new Error("mine")),
    ]) {
      expect((await bus.respond(head, read)).status).to.equal(500);
    }
  });
});
