import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { ConfigurationError } from "../../src/errors.ts";
import type { Inbox } from "../../src/inbox/inbox.ts";
import { postgresInboxSql } from "../../src/inbox/postgres.ts";
import { sqliteInboxSql } from "../../src/inbox/sqlite.ts";
import { anEvent, logOf, stripeBus } from "../receiver/harness.ts";
import { rejectionOf } from "../support/bus.ts";
import { childEnv } from "../support/child-env.ts";
import { ENGINES } from "./faults/engines.ts";
import { type Place, post } from "./faults/storage.ts";
import { aRecord, DONE, ScriptedBus, until } from "./scripted-bus.ts";

const sqlFor = (place: Place): string =>
  place.engine === "SQLite" ? sqliteInboxSql() : postgresInboxSql({ schema: place.schema });

for (const engine of ENGINES) {
  describe(`the tables of an inbox on ${engine.name}`, () => {
    let storage: Awaited<ReturnType<typeof engine.make>>;

    before(function () {
      return engine.need(this);
    });

    beforeEach(async () => {
      storage = await engine.make();
    });

    afterEach(() => storage?.drop());

    const handles = async (inbox: Inbox): Promise<void> => {
      const bus = new ScriptedBus("shop", (_record, run) => {
        void run.markDone("ledger", false);
        return DONE;
      });
      const record = aRecord("shop");
      expect(await inbox.record([record])).to.deep.equal([{ state: "recorded" }]);
      inbox.work(bus, { pollMs: 20 });
      await until(async () => (await inbox.get(record.key))?.state === "done");
      await inbox.replay(record.key);
      await until(async () => bus.deliveries.length === 2 && (await inbox.get(record.key))?.state === "done");
    };
    const newer = (): Promise<unknown> =>
      storage.query("INSERT INTO hookbus_migration (component, version) VALUES ('hookbus_inbox', 99)");

    it("are made at first use, by one of two processes that begin at once", async function () {
      this.timeout(30_000);
      expect(await together(2, storage.place)).to.deep.equal([[{ state: "recorded" }], [{ state: "recorded" }]]);
      expect((await storage.inbox().counts()).pending).to.equal(2);
      expect(await versions()).to.deep.equal([1]);
    });

    it("are made by many inboxes of one process that begin at once, too", async () => {
      const inboxes = Array.from({ length: 8 }, () => storage.inbox());
      const recorded = await Promise.all(inboxes.map((inbox) => inbox.record([aRecord("shop")])));
      expect(recorded.flat().map(({ state }) => state)).to.deep.equal(Array(8).fill("recorded"));
      expect(await versions()).to.deep.equal([1]);
    });

    const versions = async (): Promise<readonly number[]> =>
      (await storage.query("SELECT version FROM hookbus_migration WHERE component = 'hookbus_inbox'")).map((row) =>
        Number(row["version"]),
      );

    it("are left as they are by an inbox that comes later", async () => {
      const first = storage.inbox();
      const record = aRecord("shop");
      await first.record([record]);
      await first.close();
      expect(await storage.inbox().record([record])).to.deep.equal([
        { state: "duplicate", fingerprint: record.fingerprint },
      ]);
      expect(await versions()).to.deep.equal([1]);
    });

    it("made by the printed SQL are all that an inbox with `migrate: false` needs", async () => {
      await storage.query(sqlFor(storage.place));
      await handles(storage.inbox({ migrate: false }));
    });

    it("made by the printed SQL are as good for an inbox that migrates, and the SQL may be run again", async () => {
      await storage.query(sqlFor(storage.place));
      await handles(storage.inbox());
      await storage.query(sqlFor(storage.place));
      expect((await storage.inbox().counts()).done).to.equal(1);
      expect(await versions()).to.deep.equal([1]);
    });

    it("that are missing are an error of the setup with `migrate: false`, until somebody makes them", async () => {
      const bus = stripeBus();
      const inbox = storage.inbox({ migrate: false });
      bus.inbox = inbox;
      const error = await rejectionOf(inbox.ping());
      expect(error).to.be.instanceOf(ConfigurationError);
      expect(String(error)).to.contain("run its SQL").and.contain("migrate: false");
      expect(await post(bus, anEvent())).to.deep.include({ status: 500, outcome: "failed" });
      expect(logOf(bus).at(-1)?.fields).to.deep.include({ reason: "HOOKBUS_CONFIGURATION" });
      await storage.query(sqlFor(storage.place));
      expect((await post(bus, anEvent())).outcome).to.equal("queued");
    });

    for (const migrate of [true, false]) {
      it(`of a newer hookbus are refused with \`migrate: ${migrate}\`, and stay as they are`, async () => {
        await storage.inbox().ping();
        await newer();
        const error = await rejectionOf(storage.inbox({ migrate }).record([aRecord("shop")]));
        expect(error).to.be.instanceOf(ConfigurationError);
        expect(String(error)).to.contain("99").and.contain("update hookbus");
        expect((await storage.query("SELECT key FROM hookbus_inbox")).length).to.equal(0);
      });
    }
  });
}

const SCRIPT = fileURLToPath(new URL("./children/sql-opener.ts", import.meta.url));

/** Lets so many processes open the same place at once, and gives what each got for its record. */
async function together(count: number, place: Place): Promise<readonly unknown[]> {
  const openers = Array.from({ length: count }, () => {
    const opener = fork(SCRIPT, [JSON.stringify(place)], { execArgv: ["--import", "tsx"], env: childEnv() });
    return { opener, ready: once(opener, "message") };
  });
  await Promise.all(openers.map(({ ready }) => ready));
  return Promise.all(
    openers.map(async ({ opener }) => {
      const ended = once(opener, "exit");
      const said = once(opener, "message");
      opener.send("go");
      const [recorded] = await Promise.race([said, ended]);
      await ended;
      return recorded;
    }),
  );
}
