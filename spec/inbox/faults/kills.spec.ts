import type { ChildProcess } from "node:child_process";
import { expect } from "chai";
import { anEvent, stripeBus } from "../../receiver/harness.ts";
import { type Seam, type Style, subscriber } from "../children/sql-worker.ts";
import { until } from "../scripted-bus.ts";
import { ENGINES } from "./engines.ts";
import { post, type Storage, shifted } from "./storage.ts";
import { kill, reached, start } from "./victim.ts";

interface Kill {
  readonly seam: Seam;
  readonly style: Style;
  readonly title: string;
  /** What has been written by the time of the kill. */
  readonly before: readonly string[];
  /** Who is called after the restart. */
  readonly calledAgain: readonly string[];
  /** What has been written in the end. */
  readonly effects: readonly string[];
}

const BOTH = ["ledger", "mailer"];

const KILLS: readonly Kill[] = [
  {
    seam: "claimed",
    style: "plain",
    title: "has an event and has called nobody yet: all are called",
    before: [],
    calledAgain: BOTH,
    effects: BOTH,
  },
  {
    seam: "begun",
    style: "plain",
    title: "is in a subscriber that has written nothing yet: it is called again",
    before: [],
    calledAgain: BOTH,
    effects: BOTH,
  },
  {
    seam: "written",
    style: "plain",
    title: "is in a subscriber that has written by itself: it writes again, for nobody can know",
    before: ["ledger"],
    calledAgain: BOTH,
    effects: ["ledger", ...BOTH],
  },
  {
    seam: "marked",
    style: "plain",
    title: "is in the second subscriber, and the first is marked: the second alone is called",
    before: ["ledger"],
    calledAgain: ["mailer"],
    effects: BOTH,
  },
  {
    seam: "written",
    style: "transaction",
    title: "is about to commit context.transaction: the effect happens once",
    before: [],
    calledAgain: BOTH,
    effects: BOTH,
  },
  {
    seam: "marked",
    style: "transaction",
    title: "has committed context.transaction, and the subscriber has not returned: it is not called again",
    before: ["ledger"],
    calledAgain: ["mailer"],
    effects: BOTH,
  },
  {
    seam: "ended",
    style: "transaction",
    title: "has committed all transactions, and has not written that the event is done: nobody is called again",
    before: BOTH,
    calledAgain: [],
    effects: BOTH,
  },
  {
    seam: "written",
    style: "own",
    title: "is about to commit a transaction of the user's with the mark in it: the effect happens once",
    before: [],
    calledAgain: BOTH,
    effects: BOTH,
  },
  {
    seam: "marked",
    style: "own",
    title: "has committed a transaction of the user's with the mark in it: the subscriber is not called again",
    before: ["ledger"],
    calledAgain: ["mailer"],
    effects: BOTH,
  },
];

for (const engine of ENGINES) {
  describe(`a worker that is killed, on ${engine.name}`, function () {
    this.timeout(30_000);
    let storage: Awaited<ReturnType<typeof engine.make>>;
    let child: ChildProcess | undefined;

    before(function () {
      return engine.need(this);
    });

    beforeEach(async () => {
      storage = await engine.make();
    });

    afterEach(async () => {
      child?.kill("SIGKILL");
      child = undefined;
      await storage?.drop();
    });

    for (const { seam, style, title, before: early, calledAgain, effects } of KILLS) {
      it(`while it ${title}`, async () => {
        const event = anEvent();
        const bus = stripeBus();
        bus.inbox = storage.inbox();
        const called: string[] = [];
        for (const name of BOTH) subscribe(bus, storage, style, name, called);
        expect((await post(bus, event)).outcome).to.equal("queued");

        child = start({ place: storage.place, seam, style });
        await reached(child, seam);
        await kill(child);
        expect(await storage.effects()).to.deep.equal(early);
        expect((await bus.inbox.get(`stripe:${event.id}`))?.attempts).to.equal(1);

        // An hour later nothing is left of the lease.
        const later = storage.inbox({ clock: shifted(3_600_000) });
        later.work(bus, { pollMs: 20 });
        await until(async () => (await later.counts()).done === 1);
        expect(called).to.deep.equal(calledAgain);
        expect(await storage.effects()).to.deep.equal(effects);
        const details = await later.get(`stripe:${event.id}`);
        expect(details?.history.map(({ outcome }) => outcome)).to.deep.equal(["lost", "done"]);
        expect(details?.subscribers.map((each) => `${each.subscriber} ${each.state}`).sort()).to.deep.equal([
          "ledger done",
          "mailer done",
        ]);
      });
    }

    it("holds its events until its lease has run out, and not a moment longer than another worker looks", async () => {
      const event = anEvent();
      const bus = stripeBus();
      const inbox = storage.inbox();
      bus.inbox = inbox;
      const called: string[] = [];
      for (const name of BOTH) subscribe(bus, storage, "plain", name, called);
      await post(bus, event);
      child = start({ place: storage.place, seam: "begun", style: "plain" });
      await reached(child, "begun");
      inbox.work(bus, { pollMs: 20 });
      await until(async () => (await inbox.counts()).done === 1);
      const [lost, done] = (await inbox.get(`stripe:${event.id}`))?.history ?? [];
      // The child's lease of a second; it stands still, and sends no heartbeat.
      expect((done?.startedAt ?? 0) - (lost?.startedAt ?? 0)).to.be.at.least(1_000);
      expect(called).to.deep.equal(BOTH);
    });
  });
}

function subscribe(
  bus: ReturnType<typeof stripeBus>,
  storage: Storage,
  style: Style,
  name: string,
  called: string[],
): void {
  const work = subscriber(storage, style);
  bus.subscribe(
    "charge.",
    async (event, context) => {
      called.push(name);
      await work(event, context);
    },
    { name },
  );
}
