import type { ChildProcess } from "node:child_process";
import { expect } from "chai";
import {
  Ignore,
  ProcessError,
  ProviderUnavailableError,
  Reject,
  RetryLater,
  UnknownEventError,
} from "../../../src/errors.ts";
import type { Inbox } from "../../../src/inbox/inbox.ts";
import type { RecordDetails } from "../../../src/inbox/record.ts";
import { anEvent, bytes, type TestEvent } from "../../receiver/harness.ts";
import { aRecord, ScriptedBus, until } from "../scripted-bus.ts";
import { ENGINES } from "./engines.ts";
import { aProcess, type Process, ProcessClock, type Work } from "./process.ts";
import { post, shifted } from "./storage.ts";
import { kill, reached, start } from "./victim.ts";

/** Tries again at once, and twice in all. */
const QUICK = { attempts: 2, backoff: { baseMs: 1, capMs: 1 }, random: () => 0 };

for (const engine of ENGINES) {
  describe(`a delivery out of an inbox on ${engine.name}`, () => {
    let storage: Awaited<ReturnType<typeof engine.make>>;
    let inbox: Inbox;
    let event: TestEvent;

    before(function () {
      return engine.need(this);
    });

    beforeEach(async () => {
      storage = await engine.make();
      inbox = storage.inbox(QUICK);
      event = anEvent();
    });

    afterEach(() => storage?.drop());

    const details = (): Promise<RecordDetails | undefined> => inbox.get(`stripe:${event.id}`);
    const becomes = (state: string): Promise<void> => until(async () => (await details())?.state === state);
    /** Records the event and begins to deliver it. */
    const deliver = async (subscribers: Readonly<Record<string, Work>>, prepare?: (of: Process) => void) => {
      const process = aProcess(new ProcessClock(), subscribers);
      process.bus.inbox = inbox;
      prepare?.(process);
      expect((await post(process.bus, event)).outcome).to.equal("queued");
      process.work(inbox);
      return process;
    };
    /** How long after the end of its first attempt the event is due again, in seconds. */
    const waits = async (): Promise<number> => {
      await until(async () => (await details())?.history.length === 1);
      const { dueAt = 0, history = [] } = (await details()) ?? {};
      return Math.round((dueAt - (history[0]?.endedAt ?? 0)) / 1_000);
    };
    /** Throws the first time that it is called. */
    const once = (error: Error): Work => {
      let calls = 0;
      return () => {
        calls += 1;
        if (calls === 1) throw error;
      };
    };

    describe("of an event that ends every process that delivers it", () => {
      let child: ChildProcess | undefined;

      afterEach(() => child?.kill("SIGKILL"));

      it("comes to an end by its attempts: the event is dead, and nobody is called any more", async function () {
        this.timeout(30_000);
        const process = aProcess(new ProcessClock(), { ledger: () => undefined, mailer: () => undefined });
        process.bus.inbox = inbox;
        await post(process.bus, event);
        for (let attempt = 1; attempt <= QUICK.attempts; attempt += 1) {
          child = start({ place: storage.place, seam: "begun", style: "plain" });
          await reached(child, "begun");
          await kill(child);
          expect((await details())?.attempts).to.equal(attempt);
        }
        process.work(storage.inbox({ ...QUICK, clock: shifted(3_600_000) }));
        await becomes("dead");
        expect(process.called).to.deep.equal([]);
        expect((await details())?.history.map(({ outcome }) => outcome)).to.deep.equal(["lost", "lost", "dead"]);
        expect((await details())?.history.at(-1)?.failures[0]?.error).to.equal("lost");
      });
    });

    it("comes again when a subscriber asked for it, and not earlier", async () => {
      await deliver({
        ledger: () => {
          throw new RetryLater(120);
        },
        mailer: () => {
          throw new RetryLater(600);
        },
      });
      expect(await waits()).to.equal(600);
    });

    it("ends dead where a subscriber rejects the event, which keeps no other from it", async () => {
      const process = await deliver({
        ledger: () => {
          throw new Reject("never");
        },
        mailer: once(new Error("not yet")),
        auditor: () => undefined,
      });
      await becomes("dead");
      expect(process.called).to.deep.equal(["ledger", "mailer", "auditor", "mailer"]);
      const states = (await details())?.subscribers.map(({ subscriber, state }) => `${subscriber} ${state}`);
      expect(states?.toSorted()).to.deep.equal(["auditor done", "ledger rejected", "mailer done"]);
    });

    it("is done where a subscriber ignores the event", async () => {
      const process = await deliver({
        ledger: () => {
          throw new Ignore();
        },
      });
      await becomes("done");
      expect(process.called).to.deep.equal(["ledger"]);
    });

    it("calls again who failed with ProcessError, and nobody else", async () => {
      const process = await deliver({ ledger: () => undefined, mailer: once(new ProcessError("not yet")) });
      await becomes("done");
      expect(process.called).to.deep.equal(["ledger", "mailer", "mailer"]);
      expect((await details())?.history.map(({ outcome }) => outcome)).to.deep.equal(["failed", "done"]);
    });

    it("ends dead once its attempts are used up, with the failures of the last", async () => {
      const process = await deliver({
        ledger: () => {
          throw new Error("never");
        },
      });
      await becomes("dead");
      expect(process.called).to.have.length(QUICK.attempts);
      expect((await details())?.history.at(-1)?.failures).to.deep.equal([
        { subscriber: "ledger", error: "Error", message: "never" },
      ]);
    });

    describe("that is fetched back", () => {
      const fetched = (retriever: () => Promise<null>) =>
        deliver({ ledger: () => undefined }, ({ bus }) => {
          bus.eventRetriever = retriever;
        });

      it("is ignored where the retriever says null", async () => {
        const process = await fetched(async () => null);
        await becomes("ignored");
        expect(process.called).to.deep.equal([]);
        expect((await post(process.bus, event)).outcome).to.equal("duplicate");
      });

      it("is tried again, and then dead, where the provider does not know the event", async () => {
        const process = await fetched(async () => {
          throw new UnknownEventError("no such event");
        });
        await becomes("dead");
        expect(process.attempts).to.deep.equal(["failed", "dead"]);
        expect((await details())?.history.at(-1)?.failures[0]?.error).to.equal("HOOKBUS_UNKNOWN_EVENT");
      });

      it("is tried again when the provider that is down said so", async () => {
        await fetched(async () => {
          throw new ProviderUnavailableError("down", { retryAfterSeconds: 90 });
        });
        expect(await waits()).to.equal(90);
      });
    });

    it("is for the subscribers of the worker that finishes it; a new one gets it by a replay for that one", async () => {
      const old = await deliver({ ledger: () => undefined });
      await becomes("done");
      await inbox.close();
      inbox = storage.inbox(QUICK);
      const fresh = aProcess(new ProcessClock(), { ledger: () => undefined, mailer: () => undefined });
      fresh.work(inbox);
      await inbox.replay(`stripe:${event.id}`, { subscribers: ["mailer"] });
      await until(async () => fresh.called.length > 0 && (await details())?.state === "done");
      expect([old.called, fresh.called]).to.deep.equal([["ledger"], ["mailer"]]);
    });

    it("that an old worker could not finish is finished by a new one, for its subscribers", async () => {
      const old = await deliver({
        ledger: () => undefined,
        mailer: () => {
          throw new RetryLater(3_600);
        },
      });
      await until(() => old.attempts.length === 1);
      await inbox.close();
      inbox = storage.inbox({ ...QUICK, clock: shifted(2 * 3_600_000) });
      const fresh = aProcess(new ProcessClock(), { ledger: () => undefined, auditor: () => undefined });
      fresh.work(inbox);
      await becomes("done");
      expect(fresh.called).to.deep.equal(["auditor"]);
    });

    it("holds all of a body of maxBodyBytes; of a larger one nothing is kept", async () => {
      const seen: unknown[] = [];
      event = anEvent({ note: "" });
      event = { ...event, note: "x".repeat(1024 * 1024 - bytes(event).byteLength) };
      const process = await deliver({}, ({ bus }) => {
        bus.all((given) => void seen.push(given), { name: "all" });
      });
      await becomes("done");
      expect(bytes(event).byteLength).to.equal(process.bus.maxBodyBytes);
      expect(seen).to.deep.equal([event]);
      const larger = { ...event, id: `${event.id}x` };
      expect((await post(process.bus, larger)).status).not.to.equal(200);
      expect(await inbox.find()).to.have.length(1);
    });

    it("of ten thousand events that wait goes on in small portions until none is left", async function () {
      this.timeout(120_000);
      const records = Array.from({ length: 10_000 }, () => aRecord("shop"));
      for (let from = 0; from < records.length; from += 1_000) {
        await Promise.all(records.slice(from, from + 1_000).map((record) => inbox.record([record])));
      }
      const bus = new ScriptedBus("shop");
      inbox.work(bus, { concurrency: 40 });
      await until(() => bus.deliveries.length === records.length);
      await until(async () => (await inbox.counts()).done === records.length);
      expect(new Set(bus.keys()).size).to.equal(records.length);
      expect(bus.peak).to.be.at.most(40);
    });
  });
}
