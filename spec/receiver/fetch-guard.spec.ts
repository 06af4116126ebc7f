import { once } from "node:events";
import { connect } from "node:net";
import { expect } from "chai";
import * as cockatiel from "cockatiel";
import { ProviderUnavailableError, RetrievalRefusedError, UnknownEventError } from "../../src/errors.ts";
import { DEFAULT_RETRIEVAL_LIMITS, FetchGuard, type RetrievalLimits } from "../../src/receiver/fetch-guard.ts";
import { rejectionOf } from "../support/bus.ts";
import { FakeClock, settle } from "../support/clock.ts";
import { type Answering, json, StandIn, silence, unknown } from "../support/standin.ts";
import {
  type Answer,
  anEvent,
  arrivals,
  Closing,
  type Deferred,
  deferred,
  fetchingConektaBus,
  fetchingStripeBus,
  idsOf,
  logOf,
  type SpecBus,
  serve,
  type Wire,
} from "./harness.ts";

const down = json(500, { error: { type: "api_error", message: "down" } });

/** Runs `spec` with a system clock that is `ms` ahead: the breaker knows no other clock. */
async function ahead<T>(ms: number, spec: () => Promise<T>): Promise<T> {
  const { now } = Date;
  Date.now = () => now() + ms;
  try {
    return await spec();
  } finally {
    Date.now = now;
  }
}

for (const make of [fetchingStripeBus, fetchingConektaBus]) {
  describe(`the circuit breaker before ${make().name}`, () => {
    const closing = new Closing();
    let api: StandIn;
    beforeEach(async () => {
      api = closing.add(await StandIn.start());
    });
    afterEach(() => closing.close());

    const setUp = async (
      retrieval: Partial<RetrievalLimits> = {},
    ): Promise<{ bus: SpecBus; wire: Wire; postNew(): Promise<Answer> }> => {
      const bus = make({ apiBase: api.apiBase, retrieval });
      const wire = closing.add(await serve(bus));
      return { bus, wire, postNew: () => wire.post({ id: anEvent().id }) };
    };
    const callsOf = async (posts: () => Promise<unknown>): Promise<number> => {
      const before = api.calls.length;
      await posts();
      return api.calls.length - before;
    };
    const repeat = async (times: number, post: () => Promise<Answer>): Promise<number[]> => {
      const statuses: number[] = [];
      for (let i = 0; i < times; i++) statuses.push((await post()).status);
      return statuses;
    };

    it("opens after five outages in a row: 503 and Retry-After without a call", async () => {
      const { bus, postNew } = await setUp();
      const errors: unknown[] = [];
      bus.onError = (error) => errors.push(error);
      api.answer = down;
      expect(await callsOf(() => repeat(5, postNew))).to.equal(5);
      expect(
        await callsOf(async () => {
          const { status, headers } = await postNew();
          expect([status, headers["retry-after"]]).to.deep.equal([503, "10"]);
        }),
      ).to.equal(0);
      expect(errors.map(String)).to.deep.equal([
        ...Array(5).fill(
          `ProviderUnavailableError: ${make().name === "stripe" ? "Stripe" : "Conekta"}'s API answered 500`,
        ),
        "ProviderUnavailableError: the provider's API keeps failing: not asked",
      ]);
    });

    it("opens when the API does not answer in time", async () => {
      const { postNew } = await setUp({ timeoutMs: 40, outages: 2, openForMs: 60_000 });
      api.answer = silence;
      expect(await callsOf(() => repeat(2, postNew))).to.equal(2);
      expect(
        await callsOf(async () => {
          expect((await postNew()).headers["retry-after"]).to.equal("60");
        }),
      ).to.equal(0);
    });

    const harmless: [title: string, answer: Answering, status: number][] = [
      ["404", unknown, 401],
      ["429", json(429, { error: { message: "slow down" } }), 503],
      ["a refused key", json(401, { error: { message: "no" } }), 500],
      ["another event", json(200, anEvent()), 401],
    ];
    for (const [title, answer, status] of harmless) {
      it(`is not opened by ${title}`, async () => {
        const { postNew } = await setUp();
        api.answer = answer;
        const calls = await callsOf(async () => {
          expect(await repeat(12, postNew)).to.deep.equal(Array(12).fill(status));
        });
        expect(calls).to.equal(12);
      });
    }

    it("counts outages in a row alone", async () => {
      const { wire, postNew } = await setUp();
      const event = anEvent();
      api.events.set(event.id, event);
      api.answer = down;
      const calls = await callsOf(async () => {
        for (let i = 0; i < 3; i++) {
          await repeat(4, postNew);
          expect(await wire.post({ id: event.id })).to.include({ status: 200 });
        }
      });
      expect(calls).to.equal(15);
    });

    it("lets one call through after a while: a good answer closes it, another outage keeps it open", async () => {
      const { wire, postNew } = await setUp();
      api.answer = down;
      await repeat(5, postNew);
      await ahead(9_000, async () => {
        expect(await callsOf(postNew)).to.equal(0);
      });
      await ahead(10_001, async () => {
        expect(await callsOf(() => repeat(3, postNew))).to.equal(1);
      });
      await ahead(20_100, async () => {
        const event = anEvent();
        api.events.set(event.id, event);
        expect(await wire.post({ id: event.id })).to.include({ status: 200 });
        api.answer = unknown;
        expect(await callsOf(() => repeat(3, postNew))).to.equal(3);
      });
    });

    for (const [title, answer, outages, timeoutMs] of [
      ["outage", down, 5, 10_000],
      ["silence", silence, 2, 400],
    ] as const) {
      it(`keeps one account's ${title} from another's`, async () => {
        const { bus, wire } = await setUp({ timeoutMs, outages });
        bus.eventRetriever = (params, { retrieve }) =>
          retrieve(params.id, { apiKey: `key_${String(params["tenant"])}` });
        const broken = (): Promise<Answer> => wire.post({ id: anEvent().id, tenant: "broken" });
        api.answer = (response, call) =>
          (call.headers.authorization === "Bearer key_broken" ? answer : unknown)(response, call);
        expect(await callsOf(() => repeat(outages + 3, broken))).to.equal(outages);
        const event = anEvent();
        api.events.set(event.id, event);
        expect(await wire.post({ id: event.id, tenant: "sound" })).to.include({ status: 200 });
        expect(await wire.post({ id: anEvent().id, tenant: "sound" })).to.include({ status: 401 });
        expect(await callsOf(broken)).to.equal(0);
      });
    }

    it("stands before a retriever of the user's own", async () => {
      const { bus, postNew } = await setUp();
      let asked = 0;
      bus.eventRetriever = () => {
        asked += 1;
        throw new ProviderUnavailableError("down");
      };
      expect(await repeat(8, postNew)).to.deep.equal(Array(8).fill(503));
      expect(asked).to.equal(5);
    });

    it("is not opened by the errors of such a retriever itself", async () => {
      const { bus, postNew } = await setUp();
      let asked = 0;
      const thrown = [new Error("mine"), new UnknownEventError("no"), new RetrievalRefusedError("no"), "text"];
      bus.eventRetriever = () => {
        throw thrown[asked++ % thrown.length];
      };
      await repeat(12, postNew);
      expect(asked).to.equal(12);
    });
  });
}

describe("FetchGuard", () => {
  const guardOf = (limits: Partial<RetrievalLimits> = {}): FetchGuard =>
    new FetchGuard(cockatiel, { ...DEFAULT_RETRIEVAL_LIMITS, concurrent: 2, waiting: 4, ...limits });

  /** Calls that wait until they are let go, and how many have begun. */
  class Calls {
    readonly begun: Deferred<string>[] = [];
    readonly call = (): Promise<string> => {
      const call = deferred<string>();
      this.begun.push(call);
      return call.promise;
    };
    async finish(): Promise<void> {
      while (this.begun.length > 0) {
        for (const call of this.begun.splice(0)) call.resolve("found");
        await settle();
      }
    }
  }

  const occupy = (guard: FetchGuard, sender: string | undefined, times: number, calls: Calls): Promise<string>[] =>
    Array.from({ length: times }, () => guard.inLane(sender, calls.call));

  const expectRefused = async (promise: Promise<unknown>): Promise<void> => {
    const error = await rejectionOf(promise);
    expect(error).to.be.an.instanceOf(ProviderUnavailableError);
    expect(error).to.include({
      message: "too many retrievals wait already",
      retryAfterSeconds: 1,
      rateLimited: false,
    });
  };

  const prove = (guard: FetchGuard, sender: string): Promise<string> => guard.inLane(sender, async () => "found");

  it("has the limits that are documented", () => {
    expect(DEFAULT_RETRIEVAL_LIMITS).to.deep.equal({
      timeoutMs: 10_000,
      concurrent: 10,
      waiting: 100,
      unknownForMs: 10_000,
      outages: 5,
      openForMs: 10_000,
    });
  });

  it("runs so many trusted calls at once, lets so many wait, and sends the rest away", async () => {
    const guard = guardOf();
    const calls = new Calls();
    const lane = occupy(guard, undefined, 6, calls);
    await expectRefused(guard.inLane(undefined, calls.call));
    expect(calls.begun).to.have.length(2);
    await calls.finish();
    expect(await Promise.all(lane)).to.deep.equal(Array(6).fill("found"));
  });

  it("gives one stranger half of the strangers' lane", async () => {
    const guard = guardOf();
    const calls = new Calls();
    const first = occupy(guard, "a", 3, calls);
    await expectRefused(guard.inLane("a", calls.call));
    const second = occupy(guard, "b", 3, calls);
    await expectRefused(guard.inLane("b", calls.call));
    await expectRefused(guard.inLane("c", calls.call));
    expect(calls.begun).to.have.length(2);
    await calls.finish();
    expect(await Promise.all([...first, ...second])).to.deep.equal(Array(6).fill("found"));
  });

  it("gives the places back, however a stranger's call ends", async () => {
    const guard = guardOf();
    for (let round = 0; round < 4; round++) {
      const calls = new Calls();
      const lane = occupy(guard, "a", 2, calls).map(rejectionOf);
      for (const call of calls.begun.splice(0)) call.reject(new Error("mine"));
      expect((await Promise.all(lane)).map(String)).to.deep.equal(Array(2).fill("Error: mine"));
    }
    const calls = new Calls();
    const lane = occupy(guard, "a", 3, calls);
    await expectRefused(guard.inLane("a", calls.call));
    await calls.finish();
    await Promise.all(lane);
  });

  it("counts a stranger's places one by one", async () => {
    const guard = guardOf();
    const calls = new Calls();
    const [one, two, three] = occupy(guard, "a", 3, calls).map(rejectionOf);
    calls.begun.shift()?.reject(new UnknownEventError("no"));
    await one;
    const four = rejectionOf(guard.inLane("a", calls.call));
    await expectRefused(guard.inLane("a", calls.call));
    await settle();
    for (let left = 3; left > 0; left--) {
      calls.begun.shift()?.reject(new UnknownEventError("no"));
      await settle();
    }
    for (const each of [two, three, four]) expect(await each).to.be.an.instanceOf(UnknownEventError);
  });

  it("keeps a lane for senders whose ids have turned out genuine, the whole of it for each", async () => {
    const guard = guardOf();
    await prove(guard, "genuine");
    const strangers = new Calls();
    const crowd = [...occupy(guard, "a", 3, strangers), ...occupy(guard, "b", 3, strangers)];
    expect(await prove(guard, "genuine")).to.equal("found");
    const calls = new Calls();
    const lane = occupy(guard, "genuine", 6, calls);
    expect(calls.begun).to.have.length(2);
    await expectRefused(guard.inLane("genuine", calls.call));
    await expectRefused(guard.inLane(undefined, calls.call));
    await calls.finish();
    await strangers.finish();
    expect(await Promise.all([...lane, ...crowd])).to.have.length(12);
  });

  it("takes a sender for a stranger again when an id of its turns out unknown, and for nothing else", async () => {
    const guard = guardOf();
    await prove(guard, "x");
    const strangers = new Calls();
    const crowd = [...occupy(guard, "a", 3, strangers), ...occupy(guard, "b", 3, strangers)];
    const failWith = (error: Error): Promise<unknown> => rejectionOf(guard.inLane("x", () => Promise.reject(error)));
    for (const error of [new ProviderUnavailableError("down"), new RetrievalRefusedError("no"), new Error("mine")]) {
      expect(await failWith(error)).to.equal(error);
      expect(await prove(guard, "x")).to.equal("found");
    }
    expect(await failWith(new UnknownEventError("no"))).to.be.an.instanceOf(UnknownEventError);
    await expectRefused(prove(guard, "x"));
    await strangers.finish();
    await Promise.all(crowd);
  });

  it("hands the call a signal that is aborted when its time is up", async () => {
    const guard = guardOf({ timeoutMs: 20 });
    let signal: AbortSignal | undefined;
    const error = await rejectionOf(
      guard.guarded("account", (given) => {
        signal = given;
        expect(given.aborted).to.equal(false);
        return new Promise(() => {});
      }),
    );
    expect(error).to.be.an.instanceOf(ProviderUnavailableError);
    expect(error).to.include({ message: "retrieval took longer than 20 ms", retryAfterSeconds: 5 });
    expect((error as Error).cause).to.be.an("error");
    expect(signal?.aborted).to.equal(true);
  });

  it("counts an outage once, where it happened", async () => {
    const guard = guardOf({ outages: 2, openForMs: 1_500 });
    const outage = (): Promise<never> =>
      guard.guarded("inner", () => Promise.reject(new ProviderUnavailableError("down")));
    for (let i = 0; i < 6; i++) await rejectionOf(guard.guarded("outer", outage, true));
    expect(await guard.guarded("outer", async () => "asked", true)).to.equal("asked");
    const error = await rejectionOf(guard.guarded("inner", async () => "asked"));
    expect(error).to.include({ message: "the provider's API keeps failing: not asked", retryAfterSeconds: 1.5 });
  });

  it("does not count a full lane as an outage", async () => {
    const guard = guardOf({ outages: 1, concurrent: 1, waiting: 0 });
    const calls = new Calls();
    const lane = occupy(guard, undefined, 1, calls);
    for (let i = 0; i < 3; i++) {
      await expectRefused(guard.guarded("outer", () => guard.inLane(undefined, calls.call), true));
    }
    expect(await guard.guarded("outer", async () => "asked", true)).to.equal("asked");
    await calls.finish();
    await Promise.all(lane);
  });
});

describe("a flood of 10,000 ids that nobody knows", () => {
  const closing = new Closing();
  const warnings: Error[] = [];
  const warned = (warning: Error): number => warnings.push(warning);
  before(() => {
    process.on("warning", warned);
  });
  after(() => {
    process.off("warning", warned);
  });
  afterEach(() => closing.close());

  it("costs the provider few calls, and holds up nobody else", async function () {
    this.timeout(60_000);
    const api = closing.add(await StandIn.start());
    const clock = new FakeClock();
    const bus = fetchingStripeBus({ apiBase: api.apiBase, clock, retrieval: { timeoutMs: 60_000 } });
    const ids = idsOf(bus);
    const { endpoint, count } = arrivals(bus);
    const wire = closing.add(await serve(endpoint));
    const genuine = (): string => {
      const event = anEvent();
      api.events.set(event.id, event);
      return event.id;
    };

    // 127.0.0.2 has delivered before; 127.0.0.3 never has.
    expect(await wire.post({ id: genuine() }, { from: "127.0.0.2" })).to.include({ status: 200 });
    let arrived = 1;

    // The API takes its time over ids that it does not know.
    const held: (() => void)[] = [];
    api.answer = (response, call) => {
      held.push(() => unknown(response, call));
    };
    const first = Array.from({ length: 55 }, () => wire.post({ id: anEvent().id }));
    arrived += first.length;
    await count(arrived);
    await api.called(1 + 10);

    const flood = Promise.all(Array.from({ length: 9 }, (_, i) => pipeline(wire.port, i, 1_105)));
    const known = wire.post({ id: genuine() }, { from: "127.0.0.2" });
    expect(await known).to.include({ status: 200 });
    const newcomer = wire.post({ id: genuine() }, { from: "127.0.0.3" });
    const statuses = (await flood).flat();
    expect(statuses).to.have.length(9_945);
    expect(new Set(statuses)).to.deep.equal(new Set(["503"]));

    // Whoever shares the flood's address is asked to come again in a second.
    const neighbour = genuine();
    const refusal = await wire.post({ id: neighbour });
    expect([refusal.status, refusal.headers["retry-after"]]).to.deep.equal([503, "1"]);
    expect(await wire.post({ id: genuine() }, { from: "127.0.0.2" })).to.include({ status: 200 });
    expect(api.calls).to.have.length(3 + 10);

    // What went to the log meanwhile is one line.
    expect(logOf(bus).map(({ fields }) => (fields as { reason: string }).reason)).to.deep.equal([
      "HOOKBUS_PROVIDER_UNAVAILABLE",
    ]);

    api.answer = unknown;
    for (const answer of held.splice(0)) answer();
    expect(await newcomer).to.include({ status: 200 });
    expect(new Set((await Promise.all(first)).map(({ status }) => status))).to.deep.equal(new Set([401]));
    expect(await wire.post({ id: neighbour })).to.include({ status: 200 });
    expect(ids).to.have.length(5);

    // 55 of the flood and five genuine events; two lanes of ten.
    expect(api.calls).to.have.length(60);
    expect(api.most).to.be.within(10, 20);
    expect(warnings).to.deep.equal([]);
  });

  /** Posts `times` unknown ids down one connection, and gives the statuses of the answers. */
  async function pipeline(port: number, lane: number, times: number): Promise<string[]> {
    const socket = connect({ port, host: "127.0.0.1" });
    let text = "";
    for (let i = 0; i < times; i++) {
      const body = `{"id":"evt_flood${lane}x${i}"}`;
      const last = i === times - 1 ? "connection: close\r\n" : "";
      text += `POST / HTTP/1.1\r\nhost: x\r\n${last}content-length: ${body.length}\r\n\r\n${body}`;
    }
    socket.write(text);
    let answers = "";
    socket.on("data", (chunk) => {
      answers += chunk;
    });
    await once(socket, "close");
    return [...answers.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status ?? "");
  }
});
