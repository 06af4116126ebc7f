import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { anEvent } from "../../receiver/harness.ts";
import { childEnv } from "../../support/child-env.ts";
import type { PeerTask } from "../children/sql-peer.ts";
import { until } from "../scripted-bus.ts";
import { ENGINES } from "./engines.ts";
import { type Fragile, fragile } from "./fragile.ts";
import { aProcess, type Process, ProcessClock } from "./process.ts";
import { post } from "./storage.ts";

for (const engine of ENGINES) {
  describe(`an inbox on ${engine.name}`, () => {
    let storage: Awaited<ReturnType<typeof engine.make>>;
    let store: Fragile | undefined;
    let process: Process;
    let effects: string[];

    before(function () {
      return engine.need(this);
    });

    beforeEach(async () => {
      storage = await engine.make();
      effects = [];
      process = aProcess(new ProcessClock(), { ledger: ({ id }) => effects.push(id) });
      store = await fragile(storage, {});
      process.bus.inbox = store.inbox;
    });

    afterEach(async () => {
      await store?.up();
      await store?.close();
      store = undefined;
      await storage?.drop();
    });

    const up = (): Promise<void> => (store as Fragile).up();
    const down = (): Promise<void> => (store as Fragile).down();
    const work = (): void => process.work((store as Fragile).inbox);

    describe("whose store is away", () => {
      it("at the start: refuses deliveries, keeps trying, tells the operator, and works once it is there", async () => {
        const event = anEvent();
        await down();
        const refused = await post(process.bus, event);
        expect(refused).to.deep.include({ status: 503, outcome: "failed" });
        expect(await process.bus.isUp()).to.equal(false);
        work();
        await until(() => process.troubles.length >= 2);
        for (const trouble of process.troubles) expect(String(trouble)).to.match(/refused|readonly|terminated/i);
        await up();
        expect((await post(process.bus, event)).outcome).to.equal("queued");
        await until(() => effects.length === 1);
        expect(effects).to.deep.equal([event.id]);
      });

      it("in the middle: acknowledges nothing that is not kept, and goes on by itself", async () => {
        work();
        const [before, meanwhile, later] = [anEvent(), anEvent(), anEvent()];
        expect((await post(process.bus, before)).status).to.equal(200);
        await until(() => effects.length === 1);
        await down();
        const started = performance.now();
        const answers = await Promise.all([meanwhile, meanwhile, anEvent()].map((event) => post(process.bus, event)));
        expect(answers.map(({ status }) => status)).to.deep.equal([503, 503, 503]);
        expect(performance.now() - started).to.be.below(6_000);
        await until(() => process.troubles.length > 0);
        expect(await storage.query("SELECT key FROM hookbus_inbox")).to.have.length(1);
        await up();
        expect((await post(process.bus, meanwhile)).outcome).to.equal("queued");
        expect((await post(process.bus, later)).outcome).to.equal("queued");
        await until(() => effects.length === 3);
        expect(effects).to.deep.equal([before.id, meanwhile.id, later.id]);
      });
    });

    it("gives each event of two processes to one of them, loses none and doubles none", async function () {
      this.timeout(60_000);
      await storage.inbox().ping();
      const all = Array.from({ length: 60 }, (_, index) => `evt_${index}`);
      // Twenty of them come to both.
      const tasks = [all.slice(0, 40), all.slice(20)].map((ids) => ({ place: storage.place, ids, total: all.length }));
      const outcomes = (await together(tasks)).flat();
      expect(outcomes.filter((outcome) => outcome === "queued")).to.have.length(60);
      expect(outcomes.filter((outcome) => outcome === "duplicate")).to.have.length(20);
      expect(await storage.effects()).to.deep.equal(all.toSorted());
      expect((await storage.inbox().counts()).done).to.equal(60);
    });

    it("runs one of a hundred identical deliveries at once, from four processes", async function () {
      this.timeout(60_000);
      await storage.inbox().ping();
      const ids = Array.from({ length: 25 }, () => "evt_same");
      const outcomes = (
        await together(Array.from({ length: 4 }, () => ({ place: storage.place, ids, total: 1 })))
      ).flat();
      expect(outcomes.filter((outcome) => outcome === "queued")).to.have.length(1);
      expect(outcomes.filter((outcome) => outcome === "duplicate")).to.have.length(99);
      expect(await storage.effects()).to.deep.equal(["evt_same"]);
      expect((await storage.inbox().counts()).done).to.equal(1);
    });
  });
}

const SCRIPT = fileURLToPath(new URL("../children/sql-peer.ts", import.meta.url));

/** Runs a process for each task, all of them at once, and gives what each said at its end. */
async function together(tasks: readonly PeerTask[]): Promise<readonly string[][]> {
  const peers = tasks.map((task) => {
    const peer = fork(SCRIPT, [JSON.stringify(task)], { execArgv: ["--import", "tsx"], env: childEnv() });
    return { peer, ready: once(peer, "message") };
  });
  await Promise.all(peers.map(({ ready }) => ready));
  return Promise.all(
    peers.map(async ({ peer }) => {
      const ended = once(peer, "exit");
      const said = once(peer, "message");
      peer.send("go");
      const [outcomes] = await Promise.race([said, ended]);
      if (!Array.isArray(outcomes)) throw new Error(`a process ended with ${outcomes}`);
      await ended;
      return outcomes as string[];
    }),
  );
}
