import { expect } from "chai";
import { StaleTokenError } from "../../src/errors.ts";
import type { Awaitable, Claim, ClaimToken, IdempotencyStore } from "../../src/idempotency/store.ts";

/** A clock that stands still until it is moved. */
export class ManualClock {
  /** Milliseconds since 1970. */
  time: number = Date.UTC(2026, 0, 1);

  readonly now = (): number => this.time;

  advance(ms: number): void {
    this.time += ms;
  }
}

const LEASE_MS = 30_000;

/**
 * What every idempotency store must do, as a mocha suite.
 *
 * @param makeStore makes an empty store that reads the given clock, however often it is called.
 */
export function idempotencyContract(
  name: string,
  makeStore: (clock: ManualClock) => Awaitable<IdempotencyStore>,
): void {
  describe(`${name} as an idempotency store`, () => {
    let clock: ManualClock;
    let store: IdempotencyStore;

    beforeEach(async () => {
      clock = new ManualClock();
      store = await makeStore(clock);
    });

    afterEach(() => store.close?.());

    const claim = async (key = "bus:evt_1", fingerprint = "f1"): Promise<Claim> =>
      store.claim(key, { leaseMs: LEASE_MS, fingerprint });

    /** Claims a key that must be free. */
    const take = async (
      key?: string,
      fingerprint?: string,
    ): Promise<{ token: ClaimToken; done: readonly string[] }> => {
      const result = await claim(key, fingerprint);
      if (result.state !== "claimed") throw new Error(`expected a claim, got ${JSON.stringify(result)}`);
      return result;
    };

    const calls: Record<string, (token: ClaimToken) => Awaitable<void>> = {
      extend: (token) => store.extend(token, LEASE_MS),
      markDone: (token) => store.markDone(token, "mailer"),
      complete: (token) => store.complete(token),
      release: (token) => store.release(token),
    };

    const expectStale = async (token: ClaimToken): Promise<void> => {
      for (const [verb, call] of Object.entries(calls)) {
        const error = await new Promise((resolve) => resolve(call(token))).catch((reason: unknown) => reason);
        expect(error, verb).to.be.instanceOf(StaleTokenError);
      }
    };

    describe("claim", () => {
      it("gives an unknown key, with nothing done", async () => {
        const { token, done } = await take("bus:evt_1");
        expect(token.key).to.equal("bus:evt_1");
        expect(done).to.deep.equal([]);
      });

      it("is busy while another run holds the key", async () => {
        await take();
        clock.advance(LEASE_MS - 1);
        expect(await claim()).to.deep.equal({ state: "busy" });
      });

      it("gives the key to one of a hundred at once", async () => {
        const claims = await Promise.all(Array.from({ length: 100 }, () => claim()));
        const states = claims.map(({ state }) => state).sort();
        expect(states).to.deep.equal([...Array.from({ length: 99 }, () => "busy"), "claimed"]);
      });

      it("keeps keys apart, however alike or odd", async () => {
        const keys = ["a", "a:", "A", "a b", "á", "a\u0301", "__proto__", "constructor", "", "'; --", "k".repeat(500)];
        for (const key of keys) await store.complete((await take(key, key)).token);
        for (const key of keys) expect(await claim(key)).to.deep.equal({ state: "done", fingerprint: key });
      });

      it("gives every claim another fence", async () => {
        const first = await take();
        await store.release(first.token);
        const second = await take();
        expect(second.token.fence).not.to.equal(first.token.fence);
      });
    });

    describe("complete", () => {
      it("makes every later claim answer done, with the fingerprint of the first claim", async () => {
        await store.complete((await take("bus:evt_1", "first")).token);
        expect(await claim("bus:evt_1", "another")).to.deep.equal({ state: "done", fingerprint: "first" });
        clock.advance(LEASE_MS * 10);
        expect(await claim("bus:evt_1", "another")).to.deep.equal({ state: "done", fingerprint: "first" });
      });

      it("keeps the fingerprint of the first claim when a later one finishes", async () => {
        await take("bus:evt_1", "first");
        clock.advance(LEASE_MS);
        await store.complete((await take("bus:evt_1", "second")).token);
        expect(await claim("bus:evt_1", "third")).to.deep.equal({ state: "done", fingerprint: "first" });
      });

      it("ends the claim", async () => {
        const { token } = await take();
        await store.complete(token);
        await expectStale(token);
        expect(await claim()).to.deep.equal({ state: "done", fingerprint: "f1" });
      });
    });

    describe("release", () => {
      it("gives the key back at once", async () => {
        await store.release((await take()).token);
        expect((await take()).done).to.deep.equal([]);
      });

      it("keeps the marks, in their order, over any number of tries", async () => {
        const first = await take();
        await store.markDone(first.token, "mailer");
        await store.markDone(first.token, "ledger");
        await store.release(first.token);
        const second = await take();
        expect(second.done).to.deep.equal(["mailer", "ledger"]);
        await store.markDone(second.token, "audit");
        await store.release(second.token);
        expect((await take()).done).to.deep.equal(["mailer", "ledger", "audit"]);
      });

      it("keeps the marks of one key from another", async () => {
        const { token } = await take("bus:evt_1");
        await store.markDone(token, "mailer");
        await store.release(token);
        expect((await take("bus:evt_2")).done).to.deep.equal([]);
      });

      it("ends the claim", async () => {
        const { token } = await take();
        await store.markDone(token, "mailer");
        await store.release(token);
        await expectStale(token);
        expect((await take()).done).to.deep.equal(["mailer"]);
      });
    });

    describe("markDone", () => {
      it("marks a subscriber once, however often it is told", async () => {
        const { token } = await take();
        await store.markDone(token, "mailer");
        await store.markDone(token, "mailer");
        await store.release(token);
        expect((await take()).done).to.deep.equal(["mailer"]);
      });

      it("does not change what an earlier claim was told", async () => {
        const first = await take();
        await store.markDone(first.token, "mailer");
        await store.release(first.token);
        const second = await take();
        await store.markDone(second.token, "ledger");
        expect([first.done, second.done]).to.deep.equal([[], ["mailer"]]);
      });
    });

    describe("a lease that ran out", () => {
      it("lets another run claim the key, with the marks", async () => {
        const { token } = await take();
        await store.markDone(token, "mailer");
        clock.advance(LEASE_MS);
        expect((await take()).done).to.deep.equal(["mailer"]);
      });

      it("refuses the run that lost the key in everything, and leaves the new run untouched", async () => {
        const lost = await take();
        clock.advance(LEASE_MS);
        const held = await take();
        await expectStale(lost.token);
        expect(await claim()).to.deep.equal({ state: "busy" });
        await store.markDone(held.token, "ledger");
        await store.release(held.token);
        expect((await take()).done).to.deep.equal(["ledger"]);
      });

      it("refuses the run that lost the key after the new run is through, too", async () => {
        const lost = await take();
        clock.advance(LEASE_MS);
        await store.complete((await take()).token);
        await expectStale(lost.token);
        expect(await claim()).to.deep.equal({ state: "done", fingerprint: "f1" });
      });

      it("still lets the run finish, as long as nobody else claimed the key", async () => {
        const { token } = await take();
        clock.advance(LEASE_MS + 1);
        await store.markDone(token, "mailer");
        await store.complete(token);
        expect(await claim()).to.deep.equal({ state: "done", fingerprint: "f1" });
      });
    });

    describe("extend", () => {
      it("runs the lease from now", async () => {
        const { token } = await take();
        for (let beat = 0; beat < 5; beat += 1) {
          clock.advance(LEASE_MS - 1);
          await store.extend(token, LEASE_MS);
        }
        clock.advance(LEASE_MS - 1);
        expect(await claim()).to.deep.equal({ state: "busy" });
        clock.advance(1);
        expect(await claim()).to.include({ state: "claimed" });
      });

      it("brings a lease back that ran out, as long as nobody else claimed the key", async () => {
        const { token } = await take();
        clock.advance(LEASE_MS + 1);
        await store.extend(token, LEASE_MS);
        expect(await claim()).to.deep.equal({ state: "busy" });
      });
    });

    it("refuses a token that it never gave", async () => {
      await expectStale({ key: "bus:evt_1", fence: "1" });
      const { token } = await take();
      await expectStale({ key: token.key, fence: `${token.fence}0` });
      await expectStale({ key: "bus:evt_2", fence: token.fence });
      await store.complete(token);
    });

    it("says that it can be reached, where it can be asked", async () => {
      await store.ping?.();
    });
  });
}
