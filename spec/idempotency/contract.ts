import assert from "node:assert/strict";
import { StaleTokenError } from "../../src/errors.ts";
import type { Awaitable, Claim, ClaimToken, IdempotencyStore } from "../../src/idempotency/store.ts";
import { type TransactionBench, transactionContract } from "./transaction-contract.ts";

/** A clock that stands still until it is moved. */
export class ManualClock {
  /** Milliseconds since 1970. */
  time: number = Date.UTC(2026, 0, 1);

  readonly now = (): number => this.time;

  advance(ms: number): void {
    this.time += ms;
  }
}

/** What the suites need of a test runner; the globals of mocha and of Jest are one, and so is `node:test`. */
export interface SuiteRunner {
  describe(title: string, body: () => void): unknown;
  it(title: string, body: () => Promise<void>): unknown;
  beforeEach(body: () => Promise<void>): unknown;
  afterEach(body: () => Promise<void>): unknown;
}

export interface ContractOptions {
  /** Where the store has `transaction` and `markDoneWithin`: called after `makeStore`, for each spec. */
  readonly transactions?: (() => Awaitable<TransactionBench>) | undefined;
  /** Default: the globals. */
  readonly runner?: SuiteRunner | undefined;
}

export type Taken = Extract<Claim, { state: "claimed" }>;

/** How long the claims of the suites live. */
export const LEASE_MS = 30_000;

/**
 * What every idempotency store must do, as a suite of specs.
 *
 * @param makeStore makes an empty store that reads the given clock, however often it is called.
 */
export function idempotencyContract(
  name: string,
  makeStore: (clock: ManualClock) => Awaitable<IdempotencyStore>,
  { transactions, runner = globalThis as unknown as SuiteRunner }: ContractOptions = {},
): void {
  const { describe, it, beforeEach, afterEach } = runner;

  describe(`${name} as an idempotency store`, () => {
    let clock: ManualClock;
    let store: IdempotencyStore;

    beforeEach(async () => {
      clock = new ManualClock();
      store = await makeStore(clock);
    });

    afterEach(async () => {
      await store.close?.();
    });

    const claim = async (key = "bus:evt_1", fingerprint = "f1"): Promise<Claim> =>
      store.claim(key, { leaseMs: LEASE_MS, fingerprint });

    /** Claims a key that must be free. */
    const take = async (key?: string, fingerprint?: string): Promise<Taken> => {
      const result = await claim(key, fingerprint);
      if (result.state !== "claimed") throw new Error(`expected a claim, got ${JSON.stringify(result)}`);
      return result;
    };

    /** Lets every lease run out. */
    const expire = (): void => clock.advance(LEASE_MS);

    const calls: Record<string, (token: ClaimToken) => Awaitable<void>> = {
      extend: (token) => store.extend(token, LEASE_MS),
      markDone: (token) => store.markDone(token, "mailer"),
      complete: (token) => store.complete(token),
      release: (token) => store.release(token),
    };

    const expectStale = async (token: ClaimToken): Promise<void> => {
      for (const [verb, call] of Object.entries(calls)) {
        await assert.rejects(async () => call(token), StaleTokenError, verb);
      }
    };

    describe("claim", () => {
      it("gives an unknown key, with nothing done", async () => {
        const { token, done } = await take("bus:evt_1");
        assert.equal(token.key, "bus:evt_1");
        assert.deepEqual(done, []);
      });

      it("is busy while another run holds the key", async () => {
        await take();
        clock.advance(LEASE_MS - 1);
        assert.deepEqual(await claim(), { state: "busy" });
      });

      it("gives the key to one of a hundred at once", async () => {
        const claims = await Promise.all(Array.from({ length: 100 }, () => claim()));
        const states = claims.map(({ state }) => state).sort();
        assert.deepEqual(states, [...Array.from({ length: 99 }, () => "busy"), "claimed"]);
      });

      it("keeps keys apart, however alike or odd", async () => {
        const keys = ["a", "a:", "A", "a b", "á", "a\u0301", "__proto__", "constructor", "", "'; --", "k".repeat(500)];
        for (const key of keys) await store.complete((await take(key, key)).token);
        for (const key of keys) assert.deepEqual(await claim(key), { state: "done", fingerprint: key });
      });

      it("gives every claim another fence", async () => {
        const first = await take();
        await store.release(first.token);
        const second = await take();
        assert.notEqual(second.token.fence, first.token.fence);
      });
    });

    describe("complete", () => {
      it("makes every later claim answer done, with the fingerprint of the first claim", async () => {
        await store.complete((await take("bus:evt_1", "first")).token);
        assert.deepEqual(await claim("bus:evt_1", "another"), { state: "done", fingerprint: "first" });
        clock.advance(LEASE_MS * 10);
        assert.deepEqual(await claim("bus:evt_1", "another"), { state: "done", fingerprint: "first" });
      });

      it("keeps the fingerprint of the first claim when a later one finishes", async () => {
        await take("bus:evt_1", "first");
        clock.advance(LEASE_MS);
        await store.complete((await take("bus:evt_1", "second")).token);
        assert.deepEqual(await claim("bus:evt_1", "third"), { state: "done", fingerprint: "first" });
      });

      it("ends the claim", async () => {
        const { token } = await take();
        await store.complete(token);
        await expectStale(token);
        assert.deepEqual(await claim(), { state: "done", fingerprint: "f1" });
      });
    });

    describe("release", () => {
      it("gives the key back at once", async () => {
        await store.release((await take()).token);
        assert.deepEqual((await take()).done, []);
      });

      it("keeps the marks, in their order, over any number of tries", async () => {
        const first = await take();
        await store.markDone(first.token, "mailer");
        await store.markDone(first.token, "ledger");
        await store.release(first.token);
        const second = await take();
        assert.deepEqual(second.done, ["mailer", "ledger"]);
        await store.markDone(second.token, "audit");
        await store.release(second.token);
        assert.deepEqual((await take()).done, ["mailer", "ledger", "audit"]);
      });

      it("keeps the marks of one key from another", async () => {
        const { token } = await take("bus:evt_1");
        await store.markDone(token, "mailer");
        await store.release(token);
        assert.deepEqual((await take("bus:evt_2")).done, []);
      });

      it("ends the claim", async () => {
        const { token } = await take();
        await store.markDone(token, "mailer");
        await store.release(token);
        await expectStale(token);
        assert.deepEqual((await take()).done, ["mailer"]);
      });
    });

    describe("markDone", () => {
      it("marks a subscriber once, however often it is told", async () => {
        const { token } = await take();
        await store.markDone(token, "mailer");
        await store.markDone(token, "mailer");
        await store.release(token);
        assert.deepEqual((await take()).done, ["mailer"]);
      });

      it("does not change what an earlier claim was told", async () => {
        const first = await take();
        await store.markDone(first.token, "mailer");
        await store.release(first.token);
        const second = await take();
        await store.markDone(second.token, "ledger");
        assert.deepEqual([first.done, second.done], [[], ["mailer"]]);
      });
    });

    describe("a lease that ran out", () => {
      it("lets another run claim the key, with the marks", async () => {
        const { token } = await take();
        await store.markDone(token, "mailer");
        clock.advance(LEASE_MS);
        assert.deepEqual((await take()).done, ["mailer"]);
      });

      it("refuses the run that lost the key in everything, and leaves the new run untouched", async () => {
        const lost = await take();
        clock.advance(LEASE_MS);
        const held = await take();
        await expectStale(lost.token);
        assert.deepEqual(await claim(), { state: "busy" });
        await store.markDone(held.token, "ledger");
        await store.release(held.token);
        assert.deepEqual((await take()).done, ["ledger"]);
      });

      it("refuses the run that lost the key after the new run is through, too", async () => {
        const lost = await take();
        clock.advance(LEASE_MS);
        await store.complete((await take()).token);
        await expectStale(lost.token);
        assert.deepEqual(await claim(), { state: "done", fingerprint: "f1" });
      });

      it("still lets the run finish, as long as nobody else claimed the key", async () => {
        const { token } = await take();
        clock.advance(LEASE_MS + 1);
        await store.markDone(token, "mailer");
        await store.complete(token);
        assert.deepEqual(await claim(), { state: "done", fingerprint: "f1" });
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
        assert.deepEqual(await claim(), { state: "busy" });
        clock.advance(1);
        assert.equal((await claim()).state, "claimed");
      });

      it("brings a lease back that ran out, as long as nobody else claimed the key", async () => {
        const { token } = await take();
        clock.advance(LEASE_MS + 1);
        await store.extend(token, LEASE_MS);
        assert.deepEqual(await claim(), { state: "busy" });
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

    if (transactions) {
      transactionContract(runner, async () => ({ store, take, bench: await transactions(), expire }));
    }
  });
}
