import { expect } from "chai";
import type { DeliveryContext } from "../../../src/bus/context.ts";
import { StaleTokenError } from "../../../src/errors.ts";
import { anEvent } from "../../receiver/harness.ts";
import { rejectionOf } from "../../support/bus.ts";
import { until } from "../scripted-bus.ts";
import { ENGINES } from "./engines.ts";
import { type Fragile, fragile } from "./fragile.ts";
import { aProcess, held, type Machine, type Process, ProcessClock, passing } from "./process.ts";
import { post } from "./storage.ts";

const LEASE_MS = 30_000;
const HOUR_MS = 3_600_000;

for (const engine of ENGINES) {
  describe(`a lease on ${engine.name}`, () => {
    let storage: Awaited<ReturnType<typeof engine.make>>;
    let machine: Machine;
    let key: string;

    before(function () {
      return engine.need(this);
    });

    beforeEach(async () => {
      storage = await engine.make();
      machine = { skewMs: 0 };
    });

    afterEach(() => storage?.drop());

    const writes = (text: string) => () => storage.write(text);
    const open = (process: Process) => storage.inbox({ clock: process.clock, leaseMs: LEASE_MS });

    /** Records an event, and lets `process` work until it has called its first subscriber. */
    const begin = async (process: Process): Promise<void> => {
      const inbox = open(process);
      const event = anEvent();
      key = `stripe:${event.id}`;
      process.bus.inbox = inbox;
      expect((await post(process.bus, event)).outcome).to.equal("queued");
      process.work(inbox);
      await until(() => process.called.length === 1);
    };
    const join = (process: Process): void => process.work(open(process));
    const columns = async (...names: string[]): Promise<readonly unknown[]> => {
      const [row] = await storage.query(`SELECT ${names.join(", ")} FROM hookbus_inbox WHERE key = '${key}'`);
      return names.map((name) => (Number.isNaN(Number(row?.[name])) ? row?.[name] : Number(row?.[name])));
    };
    const isDone = async (): Promise<boolean> => (await columns("state"))[0] === "done";

    describe("that is lost while a subscriber still runs", () => {
      it("fails its transaction, rolls it back, and starts no other subscriber: another worker does it all", async () => {
        const { gate, work } = held();
        const other = held();
        let refused: unknown;
        const first = aProcess(new ProcessClock(machine), {
          ledger: async (context) => {
            await work();
            refused = await rejectionOf(context.transaction((tx) => storage.write("first", tx)));
            throw refused;
          },
          mailer: writes("first mailer"),
        });
        const second = aProcess(new ProcessClock({ skewMs: LEASE_MS }), {
          ledger: async (context) => {
            await other.work();
            await context.transaction((tx) => storage.write("second", tx));
          },
          mailer: writes("second mailer"),
        });
        await begin(first);
        join(second);
        await until(() => second.called.length === 1);
        // Nobody has marked anything yet: the lease alone decides.
        gate.resolve();
        await until(() => first.attempts.length === 1);
        expect(refused).to.be.instanceOf(StaleTokenError);
        expect(first.called).to.deep.equal(["ledger"]);
        expect(await storage.effects()).to.deep.equal([]);
        other.gate.resolve();
        await until(isDone);
        expect(second.called).to.deep.equal(["ledger", "mailer"]);
        expect(await storage.effects()).to.deep.equal(["second", "second mailer"]);
      });

      it("is refused its mark, by which it finds out, and starts no other subscriber", async () => {
        const [ledger, mailer, other] = [held(), held(), held()];
        const first = aProcess(new ProcessClock(machine), {
          ledger: ledger.work,
          mailer: mailer.work,
          auditor: writes("first auditor"),
        });
        const second = aProcess(new ProcessClock({ skewMs: LEASE_MS }), { ledger: other.work });
        await begin(first);
        join(second);
        await until(() => second.called.length === 1);
        ledger.gate.resolve();
        await until(() => first.runs[0]?.halt !== undefined);
        expect(first.runs[0]?.halt).to.be.instanceOf(StaleTokenError);
        mailer.gate.resolve();
        await until(() => first.attempts.length === 1);
        expect(first.called).to.deep.equal(["ledger", "mailer"]);
        expect(await storage.query("SELECT subscriber FROM hookbus_inbox_mark")).to.deep.equal([]);
        other.gate.resolve();
        await until(isDone);
        expect(await storage.effects()).to.deep.equal([]);
      });

      it("is refused its mark, and once a heartbeat has found out, it starts no other subscriber", async () => {
        const { gate, work } = held();
        const other = held();
        const first = aProcess(new ProcessClock(machine), { ledger: work, mailer: writes("first mailer") });
        const second = aProcess(new ProcessClock({ skewMs: LEASE_MS }), {
          ledger: other.work,
          mailer: writes("mailer"),
        });
        await begin(first);
        join(second);
        await until(() => second.called.length === 1);
        const fence = await columns("fence", "state");
        await first.clock.advance(LEASE_MS / 3);
        await until(() => first.runs[0]?.halt !== undefined);
        expect(first.runs[0]?.halt).to.be.instanceOf(StaleTokenError);
        gate.resolve();
        await until(() => first.attempts.length === 1);
        await first.runs[0]?.markDone("mailer", false);
        await passing(() => true, first);
        expect(first.called).to.deep.equal(["ledger"]);
        expect(await storage.query("SELECT subscriber FROM hookbus_inbox_mark")).to.deep.equal([]);
        expect(await columns("fence", "state")).to.deep.equal(fence);
        other.gate.resolve();
        await until(isDone);
        expect(await storage.effects()).to.deep.equal(["mailer"]);
      });
    });

    it("is kept by heartbeats for as long as a subscriber runs", async () => {
      const { gate, work } = held();
      const first = aProcess(new ProcessClock(machine), { ledger: work });
      const second = aProcess(new ProcessClock(machine), { ledger: () => undefined });
      await begin(first);
      join(second);
      const end = first.clock.now() + 4 * LEASE_MS;
      await passing(async () => first.clock.now() >= end, first, second);
      const [dueAt] = await columns("due_at");
      expect(Number(dueAt)).to.be.above(end + LEASE_MS / 2);
      gate.resolve();
      await until(isDone);
      expect(second.called).to.deep.equal([]);
      expect(await columns("attempts")).to.deep.equal([1]);
    });

    describe("when the clock is put forward by an hour", () => {
      it("goes to whoever looks first, and the effect happens once", async () => {
        const { gate, work } = held();
        const transacting = (text: string) => (context: DeliveryContext) =>
          context.transaction((tx) => storage.write(text, tx));
        const first = aProcess(new ProcessClock(machine), {
          ledger: async (context) => {
            await work();
            await transacting("first")(context);
          },
        });
        const second = aProcess(new ProcessClock(machine), { ledger: transacting("second") });
        await begin(first);
        join(second);
        machine.skewMs = HOUR_MS;
        await passing(isDone, second);
        gate.resolve();
        await until(() => first.attempts.length === 1);
        expect(await storage.effects()).to.deep.equal(["second"]);
        expect(first.attempts).to.deep.equal(["failed"]);
        expect(await isDone()).to.equal(true);
      });

      it("is taken anew by its own worker, which begins nothing beside what still runs", async () => {
        const { gate, work } = held();
        const only = aProcess(new ProcessClock(machine), {
          ledger: async (context) => {
            await work();
            await context.transaction((tx) => storage.write("ledger", tx));
          },
          mailer: writes("mailer"),
        });
        await begin(only);
        machine.skewMs = HOUR_MS;
        await passing(async () => (await columns("attempts"))[0] === 2, only);
        gate.resolve();
        await passing(isDone, only);
        expect(only.called).to.deep.equal(["ledger", "mailer"]);
        expect(await storage.effects()).to.deep.equal(["ledger", "mailer"]);
      });
    });

    describe("when the clock is put back by an hour", () => {
      it("of a worker that vanished is over a lease's time later", async () => {
        const vanished = aProcess(new ProcessClock(machine), { ledger: held().work });
        await begin(vanished);
        machine.skewMs = -HOUR_MS;
        const second = aProcess(new ProcessClock(machine), { ledger: writes("second") });
        const from = second.clock.now();
        join(second);
        await passing(isDone, second);
        expect(await storage.effects()).to.deep.equal(["second"]);
        // A heartbeat until it was noticed, a lease's time, and a second until the next look.
        const [at] = await columns("started_at");
        expect(Number(at) - from).to.be.within(LEASE_MS, LEASE_MS + LEASE_MS / 3 + 2_000);
      });

      it("of a worker that lives stays with it", async () => {
        const { gate, work } = held();
        const first = aProcess(new ProcessClock(machine), { ledger: work });
        const second = aProcess(new ProcessClock(machine), { ledger: () => undefined });
        await begin(first);
        join(second);
        machine.skewMs = -HOUR_MS;
        await passing(async () => Number((await columns("due_at"))[0]) < second.clock.now() + 2 * LEASE_MS, second);
        const end = second.clock.now() + 2 * LEASE_MS;
        await passing(() => second.clock.now() >= end, first, second);
        gate.resolve();
        await until(isDone);
        expect(second.called).to.deep.equal([]);
        expect(await columns("attempts")).to.deep.equal([1]);
      });

      it("does not keep waiting what was recorded before that", async () => {
        const process = aProcess(new ProcessClock(machine), { ledger: writes("ledger") });
        const event = anEvent();
        key = `stripe:${event.id}`;
        process.bus.inbox = open(process);
        await post(process.bus, event);
        machine.skewMs = -HOUR_MS;
        process.work(process.bus.inbox);
        await passing(isDone, process);
        expect(await storage.effects()).to.deep.equal(["ledger"]);
        expect(process.clock.now()).to.be.below(new ProcessClock().now());
      });
    });

    describe("of an attempt that ends while the store is away", () => {
      let store: Fragile | undefined;

      afterEach(async () => {
        await store?.up();
        await store?.close();
        store = undefined;
      });

      for (const [title, awayMs] of [
        ["for a moment", LEASE_MS / 3],
        ["for longer than a lease", 10 * LEASE_MS],
      ] as const) {
        it(`${title}: is ended when the store is back, and nobody is called twice`, async () => {
          const { gate, work } = held();
          const process = aProcess(new ProcessClock(machine), { ledger: work });
          store = await fragile(storage, { clock: process.clock, leaseMs: LEASE_MS });
          const event = anEvent();
          key = `stripe:${event.id}`;
          process.bus.inbox = store.inbox;
          await post(process.bus, event);
          process.work(store.inbox);
          await until(() => process.called.length === 1);

          await store.down();
          gate.resolve();
          await until(() => process.troubles.length > 0);
          const end = process.clock.now() + awayMs;
          await passing(() => process.clock.now() >= end, process);
          expect(await columns("state")).to.deep.equal(["pending"]);

          await store.up();
          await passing(isDone, process);
          expect(process.called).to.deep.equal(["ledger"]);
          expect(process.attempts).to.deep.equal(["done"]);
        });
      }
    });
  });
}
