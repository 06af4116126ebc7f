import { expect } from "chai";
import type { DeliveryContext } from "../../src/bus/context.ts";
import { DispatchError } from "../../src/errors.ts";
import { EventBus } from "../../src/event-bus.ts";
import { paddle } from "../../src/providers/paddle.ts";
import { eventOf, type PlainBus, plainBus, rejectionOf } from "../support/bus.ts";

describe("publish", () => {
  let bus: PlainBus;
  let contexts: DeliveryContext[];

  beforeEach(() => {
    bus = plainBus();
    contexts = [];
  });

  const hear = (): void => void bus.all((_, context) => contexts.push(context));

  it("hands the event to its subscribers, settings or no settings", async () => {
    hear();
    await bus.publish(eventOf("a"));
    expect(contexts).to.have.length(1);
  });

  it("does nothing without subscribers", async () => {
    expect(await bus.publish(eventOf("a"))).to.equal(undefined);
  });

  it("remembers nothing: an event published twice is handled twice", async () => {
    hear();
    const event = eventOf("a");
    await bus.publish(event);
    await bus.publish(event);
    expect(contexts).to.have.length(2);
  });

  it("says what it knows of the event, which is not much", async () => {
    hear();
    await bus.publish({ id: "evt_1", type: "a", livemode: true } as never);
    expect(contexts.map((context) => ({ ...context }))).to.deep.equal([
      {
        bus: "plain",
        provider: "plain",
        id: "evt_1",
        type: "a",
        key: "plain:evt_1",
        verifiedBy: "nothing",
        matchedSecret: undefined,
        livemode: undefined,
        created: undefined,
        account: undefined,
        subscriber: "subscriber-0",
      },
    ]);
  });

  it("finds the type and id where the provider keeps them", async () => {
    const paddleBus = new EventBus(paddle());
    const got: string[] = [];
    paddleBus.subscribe("transaction.", (_, context) => void got.push(`${context.id} ${context.type}`));
    await paddleBus.publish({ event_id: "evt_1", event_type: "transaction.paid", data: {} } as never);
    expect(got).to.deep.equal(["evt_1 transaction.paid"]);
  });

  it("takes an event without an id, or with an odd one", async () => {
    hear();
    for (const event of [{ type: "a" }, { type: "a", id: undefined }, { type: "a", id: 5 }, { type: "a", id: {} }]) {
      await bus.publish(event as never);
    }
    expect(contexts.map(({ id, key }) => [id, key])).to.deep.equal(Array(4).fill(["", "plain:"]));
  });

  it("rejects with what failed", async () => {
    bus.all(() => Promise.reject(new Error("no")), { name: "it" });
    const error = await rejectionOf(bus.publish(eventOf("charge.paid")));
    expect(error).to.be.instanceOf(DispatchError);
    expect((error as Error).message).to.equal('1 subscriber(s) of "charge.paid" failed: it');
  });

  it("rejects, and never throws, for what is no event", async () => {
    hear();
    for (const event of [undefined, null, "a", 5, {}, { type: 5 }, { type: undefined }, () => {}]) {
      const error = await rejectionOf(bus.publish(event as never));
      expect(error).to.be.instanceOf(TypeError);
      expect((error as Error).message).to.equal("`event` must be an object with a `type`");
    }
    expect(contexts).to.deep.equal([]);
  });
});
