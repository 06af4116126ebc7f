import { expect } from "chai";
import type { Step } from "../../src/bus/steps.ts";
import { RetryLater } from "../../src/errors.ts";
import { memoryInbox } from "../../src/inbox/memory.ts";
import type { Attempt } from "../../src/inbox/record.ts";
import { until } from "../inbox/scripted-bus.ts";
import { anEvent, bytes, logOf, SECRET, signed, stripeBus } from "./harness.ts";

const MARKER = "card 4242";

/** What an inbox's only attempt kept of an error that a subscriber threw, and what was said of it. */
async function cameOf(
  thrown: unknown,
): Promise<{ kept: Attempt["failures"]; reason: unknown; steps: Step[]; log: unknown }> {
  const inbox = memoryInbox({ attempts: 1 });
  const bus = stripeBus();
  bus.inbox = inbox;
  bus.all(
    () => {
      throw thrown;
    },
    { name: "broken" },
  );
  const steps: Step[] = [];
  bus.notifications.subscribe("hookbus.attempt", (step: Step) => void steps.push(step));
  const event = anEvent();
  const headers = signed(event, Date.now(), SECRET);
  inbox.work(bus);
  await bus.receive({ method: "POST", url: "/", headers, body: bytes(JSON.stringify(event)) });
  try {
    await until(async () => (await inbox.counts()).dead === 1);
  } finally {
    await inbox.close({ graceMs: 0 });
  }
  const record = await inbox.get(`${bus.name}:${event.id}`);
  return { kept: record?.history[0]?.failures ?? [], reason: steps[0]?.reason, steps, log: logOf(bus) };
}

describe("what an inbox keeps of a failure", () => {
  it("is the error's code, or else its class, which an attempt's step says too", async () => {
    for (const [thrown, error] of [
      [Object.assign(new Error("m"), { code: "ECONNREFUSED" }), "ECONNREFUSED"],
      [{ code: "23505", message: "m" }, "23505"],
      [new RetryLater(1, "m"), "HOOKBUS_RETRY_LATER"],
      [new TypeError("m"), "TypeError"],
      [Object.assign(new RangeError("m"), { code: 5 }), "RangeError"],
    ] as const) {
      const { kept, reason } = await cameOf(thrown);
      expect([kept, reason]).to.deep.equal([[{ subscriber: "broken", error, message: "m" }], error]);
    }
    expect((await cameOf("text")).kept).to.deep.equal([{ subscriber: "broken", error: "string", message: "" }]);
  });

  it("is no code and no name that is none, because both go into steps and logs", async () => {
    for (const [thrown, error] of [
      [Object.assign(new TypeError("m"), { code: `code ${MARKER}` }), "TypeError"],
      [Object.assign(new Error("m"), { name: `Name ${MARKER}` }), "Error"],
      [Object.assign(new Error("m"), { name: `Name ${MARKER}`, code: "E1" }), "E1"],
      [{ code: `code ${MARKER}`, message: "m" }, "object"],
    ] as const) {
      const { kept, reason, log } = await cameOf(thrown);
      expect([kept, reason]).to.deep.equal([[{ subscriber: "broken", error, message: "m" }], error]);
      expect(JSON.stringify(log)).not.to.include(MARKER);
    }
  });

  it("is what can be had of an error that throws when it is asked", async () => {
    const throwing = Object.defineProperties(new TypeError("m"), {
      name: { get: () => expect.fail("asked") },
      code: { get: () => expect.fail("asked") },
      message: { get: () => expect.fail("asked") },
    });
    for (const [thrown, error] of [
      [throwing, "Error"],
      [{ message: Object.create(null) }, "object"],
    ] as const) {
      expect((await cameOf(thrown)).kept).to.deep.equal([{ subscriber: "broken", error, message: "" }]);
    }
  });
});
