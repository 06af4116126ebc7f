import { expect } from "chai";
import type { Inbox } from "../../src/inbox/inbox.ts";
import type { NewRecord } from "../../src/inbox/record.ts";
import { ENGINES } from "./faults/engines.ts";
import { shifted } from "./faults/storage.ts";
import { aRecord, DONE, ScriptedBus, until } from "./scripted-bus.ts";

const LATER_MS = 31 * 86_400_000;

for (const engine of ENGINES) {
  describe(`the bytes that the events of one delivery share, on ${engine.name}`, () => {
    let storage: Awaited<ReturnType<typeof engine.make>>;
    let inbox: Inbox;
    let later: Inbox;

    before(function () {
      return engine.need(this);
    });

    beforeEach(async () => {
      storage = await engine.make();
      inbox = storage.inbox();
      later = storage.inbox({ clock: shifted(LATER_MS) });
    });

    afterEach(() => storage?.drop());

    const body = Buffer.from("[1,2,3]");
    const batch = (): [NewRecord, NewRecord, NewRecord] => [
      aRecord("shop", { body }),
      aRecord("shop", { body }),
      aRecord("shop", { body }),
    ];
    const bodies = async (): Promise<number> => (await storage.query("SELECT seq FROM hookbus_inbox_body")).length;
    /** Delivers all, of which those of `dead` end dead and the others done. */
    const end = async (records: readonly NewRecord[], ...dead: readonly NewRecord[]): Promise<void> => {
      await inbox.record(records);
      const keys = dead.map(({ key }) => key);
      inbox.work(new ScriptedBus("shop", ({ key }) => (keys.includes(key) ? { outcome: "dead", failures: [] } : DONE)));
      await until(async () => (await inbox.counts()).pending + (await inbox.counts()).running === 0);
    };
    const bodyOf = async ({ key }: NewRecord): Promise<string | undefined> => {
      const kept = (await later.get(key))?.body;
      return kept && Buffer.from(kept).toString();
    };

    it("are kept once", async () => {
      await inbox.record(batch());
      expect(await bodies()).to.equal(1);
    });

    for (const [which, index] of [
      ["first", 0],
      ["last", 2],
    ] as const) {
      it(`stay for as long as the ${which} of them needs them, and no longer`, async () => {
        const records = batch();
        const needy = records[index];
        await end(records, needy);
        expect(await later.purge()).to.equal(2);
        expect(await bodies()).to.equal(1);
        for (const each of records) expect(await bodyOf(each)).to.equal(each === needy ? "[1,2,3]" : undefined);

        expect((await later.replay(needy.key)).replayed).to.deep.equal([needy.key]);
        expect(await later.discard(needy.key)).to.equal(1);
        // Discarded a month from now.
        expect(await storage.inbox({ clock: shifted(2 * LATER_MS) }).purge()).to.equal(1);
        expect(await bodies()).to.equal(0);
      });
    }

    it("are those of the delivery that brought an event first", async () => {
      const [one, two, three] = batch();
      await inbox.record([one]);
      const again = Buffer.from("[2,1,3]");
      const states = await inbox.record([two, one, three].map((record) => ({ ...record, body: again })));
      expect(states.map(({ state }) => state)).to.deep.equal(["recorded", "duplicate", "recorded"]);
      expect(await Promise.all([one, two, three].map(bodyOf))).to.deep.equal(["[1,2,3]", "[2,1,3]", "[2,1,3]"]);
      expect(await bodies()).to.equal(2);
    });
  });
}
