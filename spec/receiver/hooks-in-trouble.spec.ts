import { expect } from "chai";
import { nodeHandler } from "../../src/adapters/node.ts";
import { report } from "../../src/adapters/report.ts";
import type { Bus } from "../../src/bus/bus.ts";
import type { Logger } from "../../src/bus/logger.ts";
import { memoryInbox } from "../../src/inbox/memory.ts";
import { tellListener } from "../../src/receiver/tell-listener.ts";
import { until } from "../inbox/scripted-bus.ts";
import { plainBus } from "../support/bus.ts";
import { anEvent, bareConektaBus, bytes, SECRET, type SpecBus, signed, stripeBus } from "./harness.ts";
import { TROUBLES, unhandledOf } from "./unhandled.ts";

describe("a hook of the operator's", () => {
  const post = (bus: SpecBus, genuine = true) => {
    const event = anEvent();
    const headers = genuine ? signed(event, Date.now(), SECRET) : {};
    return bus.receive({ method: "POST", url: "/", headers, body: bytes(JSON.stringify(event)) });
  };
  const failing = (): SpecBus => {
    const bus = stripeBus();
    bus.all(
      () => {
        throw new Error("the subscriber's");
      },
      { name: "failing" },
    );
    return bus;
  };
  const loggerThat = (call: () => unknown): Logger & { calls: number } => {
    const write = (): unknown => {
      logger.calls += 1;
      return call();
    };
    const logger = { calls: 0, info: write, warn: write, error: write };
    return logger;
  };

  for (const [title, call] of Object.entries(TROUBLES)) {
    it(`changes no answer and ends no process: \`onError\` that ${title}`, async () => {
      const bus = failing();
      let told = 0;
      bus.onError = () => {
        told += 1;
        return call() as undefined;
      };
      const statuses: number[] = [];
      expect(await unhandledOf(async () => statuses.push((await post(bus)).status))).to.deep.equal([]);
      expect([statuses, told]).to.deep.equal([[500], 1]);
    });

    it(`changes no answer and ends no process: a logger that ${title}`, async () => {
      const bus = failing();
      const logger = loggerThat(call);
      bus.logger = logger;
      const statuses: number[] = [];
      const unhandled = await unhandledOf(async () => {
        statuses.push((await post(bus)).status, (await post(bus, false)).status);
      });
      expect(unhandled).to.deep.equal([]);
      expect([statuses, logger.calls]).to.deep.equal([[500, 401], 3]);
    });

    it(`stops no worker of an inbox: a logger and an \`onError\` that ${title}`, async () => {
      const bus = failing();
      const inbox = memoryInbox({ attempts: 2, backoff: { baseMs: 1, capMs: 1 } });
      bus.inbox = inbox;
      bus.logger = loggerThat(call);
      bus.onError = () => call() as undefined;
      const unhandled = await unhandledOf(async () => {
        inbox.work(bus);
        expect((await post(bus)).status).to.equal(200);
        await until(async () => (await inbox.counts()).dead === 1);
      }).finally(() => inbox.close({ graceMs: 0 }));
      expect(unhandled).to.deep.equal([]);
    });

    it(`ends no process at the adapters: a logger that ${title}`, async () => {
      const logger = loggerThat(call);
      expect(await unhandledOf(() => report(logger, "m", {}))).to.deep.equal([]);
      // Without credentials, the handler has something to say just after boot.
      const bus = bareConektaBus();
      bus.logger = logger;
      expect(await unhandledOf(() => void nodeHandler(bus))).to.deep.equal([]);
      expect(logger.calls).to.equal(2);
    });
  }

  it("is called as a method, and told of what and where", () => {
    const bus = plainBus() as never as Bus;
    const error = new Error("m");
    const told: unknown[] = [];
    bus.onError = (...args) => void told.push(args);
    tellListener(bus, error, { id: "evt_1", type: "charge.paid" });
    tellListener(bus, error);
    expect(told).to.deep.equal([
      [error, { bus: bus.name, id: "evt_1", type: "charge.paid" }],
      [error, { bus: bus.name, id: undefined, type: undefined }],
    ]);
    const logger = {
      lines: [] as unknown[],
      info() {},
      warn() {},
      error(...args: unknown[]) {
        this.lines.push(args);
      },
    };
    report(logger, "m", { status: 500 });
    expect(logger.lines).to.deep.equal([["m", { status: 500 }]]);
  });

  it("is not needed", () => {
    expect(() => tellListener(plainBus() as never as Bus, new Error("m"))).not.to.throw();
  });
});
