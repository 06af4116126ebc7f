import { expect } from "chai";
import { ConfigurationError, DispatchError, PayloadError, UnknownEventError } from "../../src/errors.ts";
import type { EventBus } from "../../src/event-bus.ts";
import type { FetchOptions, Retrieval } from "../../src/providers/provider.ts";
import { type PlainEvent, plainEventBus, rejectionOf } from "../support/bus.ts";

type Bus = EventBus<Record<never, never>, PlainEvent>;

describe("instrument", () => {
  let bus: Bus;
  let asked: FetchOptions[];
  let answer: (id: string) => Promise<unknown>;
  let published: unknown[];

  const RETRIEVED = { id: "evt_1", type: "charge.paid", data: "retrieved" };
  const retrieval: Retrieval = {
    when: "api-key",
    idPattern: /^evt_\w+$/,
    unfetchable: ["goodbye"],
    fetch(id, options) {
      asked.push(options);
      return answer(id);
    },
    classify: () => undefined,
  };

  beforeEach(() => {
    asked = [];
    published = [];
    answer = () => Promise.resolve(RETRIEVED);
    bus = plainEventBus(undefined, { retrieval });
    bus.apiKey = "key";
    bus.all((event) => published.push(event));
  });

  it("retrieves the event, publishes it, and gives it back", async () => {
    const params = { id: "evt_1", type: "charge.paid", data: "as posted" };
    expect(await bus.instrument(params)).to.equal(RETRIEVED);
    expect(published).to.deep.equal([RETRIEVED]);
    expect(asked).to.have.length(1);
    expect(asked[0]?.apiKey).to.equal("key");
    expect(asked[0]?.params).to.equal(params);
  });

  it("publishes what it is given where the bus retrieves nothing", async () => {
    bus = plainEventBus();
    bus.all((event) => published.push(event));
    const event = { id: "evt_1", type: "a" };
    expect(await bus.instrument(event)).to.equal(event);
    expect(published).to.deep.equal([event]);
  });

  it("asks a retriever of your own, which sees that nothing was verified and that nobody posted", async () => {
    bus.eventRetriever = async (params, context) => {
      expect([context.verifiedBy, context.request]).to.deep.equal(["nothing", undefined]);
      return context.retrieve(params.id);
    };
    expect(await bus.instrument({ id: "evt_1" })).to.equal(RETRIEVED);
    expect(published).to.deep.equal([RETRIEVED]);
  });

  it("gives null, and publishes nothing, where the retriever or the filter ignores the event", async () => {
    bus.eventFilter = () => null;
    expect(await bus.instrument({ id: "evt_1" })).to.equal(null);
    bus.eventRetriever = () => null;
    expect(await bus.instrument({ id: "evt_1" })).to.equal(null);
    expect(published).to.deep.equal([]);
  });

  it("publishes what the filter puts in the event's place", async () => {
    const other = { ...RETRIEVED, data: "other" };
    bus.eventFilter = async (event) => {
      expect(event).to.equal(RETRIEVED);
      return other;
    };
    expect(await bus.instrument({ id: "evt_1" })).to.equal(other);
    expect(published).to.deep.equal([other]);
  });

  it("refuses a filter that forgets to return", async () => {
    bus.eventFilter = (() => undefined) as never;
    expect(await rejectionOf(bus.instrument({ id: "evt_1" }))).to.be.instanceOf(ConfigurationError);
    expect(published).to.deep.equal([]);
  });

  it("rejects with what failed on the way", async () => {
    expect(await rejectionOf(bus.instrument({ id: "../evt_1" }))).to.be.instanceOf(PayloadError);
    answer = () => Promise.reject(new UnknownEventError("no such event"));
    expect(await rejectionOf(bus.instrument({ id: "evt_2" }))).to.be.instanceOf(UnknownEventError);
    expect(published).to.deep.equal([]);
    answer = () => Promise.resolve(RETRIEVED);
    bus.all(() => Promise.reject(new Error("no")));
    expect(await rejectionOf(bus.instrument({ id: "evt_1" }))).to.be.instanceOf(DispatchError);
  });

  it("trusts its caller with an event that cannot be fetched, and only when it really cannot", async () => {
    const goodbye = { id: "evt_1", type: "goodbye" };
    answer = () => Promise.reject(new UnknownEventError("gone"));
    expect(await bus.instrument(goodbye)).to.equal(goodbye);
    answer = () => Promise.reject(new Error("of our own"));
    expect(await rejectionOf(bus.instrument({ ...goodbye, id: "evt_2" }))).to.have.property("message", "of our own");
    expect(published).to.deep.equal([goodbye]);
  });

  it("rejects for what is no object", async () => {
    for (const params of [undefined, null, "evt_1", 5]) {
      const error = await rejectionOf(bus.instrument(params as never));
      expect(error).to.be.instanceOf(TypeError);
      expect((error as Error).message).to.equal("`params` must be an object");
    }
  });
});
