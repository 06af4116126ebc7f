import { expect } from "chai";
import type { Awaitable, Claim, IdempotencyStore } from "../../src/idempotency/store.ts";
import { LEASE_MS, ManualClock, type Taken } from "./contract.ts";

const HOUR_MS = 60 * 60 * 1000;

/**
 * What a store must do whose data outlives the process, as a mocha suite.
 *
 * @param makeData makes a place without data, and says how to open a store on it: each as another process would.
 */
export function durableContract(
  name: string,
  makeData: () => Awaitable<(clock: ManualClock) => Awaitable<IdempotencyStore>>,
): void {
  describe(`${name} as a store that outlives the process`, () => {
    let clock: ManualClock;
    let another: () => Promise<IdempotencyStore>;
    let opened: Set<IdempotencyStore>;

    beforeEach(async () => {
      clock = new ManualClock();
      opened = new Set();
      const open = await makeData();
      another = async () => {
        const store = await open(clock);
        opened.add(store);
        return store;
      };
    });

    const close = async (store: IdempotencyStore): Promise<void> => {
      opened.delete(store);
      await store.close?.();
    };

    afterEach(async () => {
      for (const store of opened) await close(store);
    });

    const claim = async (store: IdempotencyStore, key = "bus:evt_1"): Promise<Claim> =>
      store.claim(key, { leaseMs: LEASE_MS, fingerprint: "f1" });

    const take = async (store: IdempotencyStore, key?: string): Promise<Taken> => {
      const result = await claim(store, key);
      if (result.state !== "claimed") throw new Error(`expected a claim, got ${JSON.stringify(result)}`);
      return result;
    };

    it("is not volatile, so that its subscribers need names", async () => {
      expect((await another()).volatile).to.equal(false);
    });

    it("knows after a restart which events were handled, half-done and being handled", async () => {
      const before = await another();
      await before.complete((await take(before, "handled")).token);
      const half = await take(before, "half-done");
      await before.markDone(half.token, "mailer");
      await before.release(half.token);
      const running = await take(before, "running");
      await before.markDone(running.token, "ledger");
      await close(before);

      const after = await another();
      expect(await claim(after, "handled")).to.deep.equal({ state: "done", fingerprint: "f1" });
      expect(await claim(after, "half-done")).to.deep.include({ state: "claimed", done: ["mailer"] });
      expect(await claim(after, "running")).to.deep.equal({ state: "busy" });
      clock.advance(LEASE_MS);
      expect(await claim(after, "running")).to.deep.include({ state: "claimed", done: ["ledger"] });
    });

    it("gives a key to one of a hundred at once, over ten connections", async () => {
      const stores = await Promise.all(Array.from({ length: 10 }, another));
      for (const key of ["bus:evt_1", "bus:evt_2"]) {
        const claims = await Promise.all(
          Array.from({ length: 100 }, (_, index) => claim(stores[index % 10] as IdempotencyStore, key)),
        );
        const states = claims.map(({ state }) => state).sort();
        expect(states).to.deep.equal([...Array.from({ length: 99 }, () => "busy"), "claimed"]);
      }
    });

    it("gives a key whose run vanished to one of a hundred at once, with the marks", async () => {
      const stores = await Promise.all(Array.from({ length: 10 }, another));
      const [first] = stores as [IdempotencyStore];
      const { token } = await take(first);
      await first.markDone(token, "mailer");
      clock.advance(LEASE_MS);
      const claims = await Promise.all(
        Array.from({ length: 100 }, (_, index) => claim(stores[index % 10] as IdempotencyStore)),
      );
      const won = claims.filter(({ state }) => state === "claimed");
      expect(won.map((each) => each.state === "claimed" && each.done)).to.deep.equal([["mailer"]]);
    });

    it("keeps the marks that are set at once by several subscribers", async () => {
      const store = await another();
      const { token } = await take(store);
      const names = Array.from({ length: 20 }, (_, index) => `subscriber ${index}`);
      await Promise.all(names.map((subscriber) => store.markDone(token, subscriber)));
      await store.release(token);
      expect((await take(store)).done).to.have.members(names);
    });

    describe("whose clock jumps", () => {
      it("an hour ahead: gives the key away, and refuses the run that had it", async () => {
        const store = await another();
        const lost = await take(store);
        clock.advance(HOUR_MS);
        const held = await take(store);
        expect(held.token.fence).not.to.equal(lost.token.fence);
        await store.complete(held.token);
        expect(await claim(store)).to.include({ state: "done" });
      });

      it("an hour ahead: lets the run go on by its next heartbeat, as long as nobody claimed the key", async () => {
        const store = await another();
        const { token } = await take(store);
        clock.advance(HOUR_MS);
        await store.extend(token, LEASE_MS);
        expect(await claim(store)).to.deep.equal({ state: "busy" });
        await store.complete(token);
      });

      it("an hour back: does not keep a vanished run's key for that hour", async () => {
        const store = await another();
        const { token } = await take(store);
        await store.markDone(token, "mailer");
        clock.advance(-HOUR_MS);
        expect(await claim(store)).to.deep.include({ state: "claimed", done: ["mailer"] });
      });

      it("an hour back: keeps the key for a run that goes on, from its next heartbeat", async () => {
        const store = await another();
        const { token } = await take(store);
        clock.advance(-HOUR_MS);
        await store.extend(token, LEASE_MS);
        expect(await claim(store)).to.deep.equal({ state: "busy" });
        clock.advance(LEASE_MS);
        expect(await claim(store)).to.include({ state: "claimed" });
      });

      it("a lease back: leaves the key with its run", async () => {
        const store = await another();
        await take(store);
        clock.advance(-LEASE_MS);
        expect(await claim(store)).to.deep.equal({ state: "busy" });
        clock.advance(-1);
        expect(await claim(store)).to.include({ state: "claimed" });
      });

      it("either way: still knows which events were handled", async () => {
        const store = await another();
        await store.complete((await take(store)).token);
        for (const jump of [HOUR_MS, -2 * HOUR_MS]) {
          clock.advance(jump);
          expect(await claim(store)).to.include({ state: "done" });
        }
      });
    });
  });
}
