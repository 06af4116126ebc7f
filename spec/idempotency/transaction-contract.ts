import assert from "node:assert/strict";
import { ConfigurationError, StaleTokenError } from "../../src/errors.ts";
import type { Awaitable, IdempotencyStore } from "../../src/idempotency/store.ts";
import type { SuiteRunner, Taken } from "./contract.ts";

/** A table of the user's in the store's database, whose rows are texts, and transactions on it. */
export interface TransactionBench {
  /** Whether `fn` may be async. */
  readonly async: boolean;
  /** Writes a row. `tx` is what `fn` was given, or `owned` gave. */
  write(tx: unknown, text: string): Awaitable<unknown>;
  /** Runs any SQL. */
  execute(tx: unknown, sql: string): Awaitable<unknown>;
  /** The rows that are committed, in order. */
  rows(): Awaitable<readonly string[]>;
  /** Runs `work` in a transaction of the user's own: committed, or rolled back where `work` rejects. */
  owned(work: (executor: unknown) => Promise<void>): Promise<void>;
}

/** What one spec works with. */
export interface TransactionCase {
  readonly store: IdempotencyStore;
  readonly bench: TransactionBench;
  /** Claims a key that must be free. */
  take(key?: string): Promise<Taken>;
  /** Lets every lease run out. */
  expire(): void;
}

/** What a store must do whose database can hold the user's data. */
export function transactionContract(
  { describe, it, beforeEach }: SuiteRunner,
  begin: () => Promise<TransactionCase>,
): void {
  let store: Required<Pick<IdempotencyStore, "transaction" | "markDoneWithin">> & IdempotencyStore;
  let bench: TransactionBench;
  let take: TransactionCase["take"];
  let expire: () => void;

  const writing = (text: string) => (tx: unknown) => bench.write(tx, text) as Promise<unknown>;
  /** Gives the key back, and says what the next run would be told. */
  const doneOf = async ({ token }: Taken): Promise<readonly string[]> => {
    await store.release(token);
    return (await take(token.key)).done;
  };
  const rows = async (): Promise<readonly string[]> => bench.rows();

  describe("transactions", () => {
    beforeEach(async () => {
      const made = await begin();
      const { transaction, markDoneWithin } = made.store;
      assert.ok(transaction && markDoneWithin, "the store must have `transaction` and `markDoneWithin`");
      store = made.store as typeof store;
      ({ bench, take, expire } = made);
    });

    describe("transaction", () => {
      it("commits what fn wrote together with the mark, and resolves to what fn returned", async () => {
        const claim = await take();
        const result = await store.transaction(claim.token, "mailer", (tx) =>
          then(bench.write(tx, "letter"), () => "posted"),
        );
        assert.equal(result, "posted");
        assert.deepEqual(await rows(), ["letter"]);
        assert.deepEqual(await doneOf(claim), ["mailer"]);
      });

      it("rolls both back and rejects with what fn threw", async () => {
        const claim = await take();
        const bang = new Error("bang");
        const failing = store.transaction(claim.token, "mailer", (tx) =>
          then(bench.write(tx, "letter"), () => {
            throw bang;
          }),
        );
        await assert.rejects(failing, (error) => error === bang);
        assert.deepEqual(await rows(), []);
        assert.deepEqual(await doneOf(claim), []);
      });

      it("may be tried again after it failed", async () => {
        const claim = await take();
        const bang = (): never => {
          throw new Error("bang");
        };
        await assert.rejects(store.transaction(claim.token, "mailer", bang));
        await store.transaction(claim.token, "mailer", writing("letter"));
        assert.deepEqual(await rows(), ["letter"]);
      });

      it("rolls back and rejects with StaleTokenError where another run has the key", async () => {
        const lost = await take();
        expire();
        const held = await take();
        await assert.rejects(store.transaction(lost.token, "mailer", writing("letter")), StaleTokenError);
        assert.deepEqual(await rows(), []);
        assert.deepEqual(await doneOf(held), []);
      });

      for (const end of ["complete", "release"] as const) {
        it(`rolls back and rejects with StaleTokenError after ${end}`, async () => {
          const { token } = await take();
          await store[end](token);
          await assert.rejects(store.transaction(token, "mailer", writing("letter")), StaleTokenError);
          assert.deepEqual(await rows(), []);
        });
      }

      it("commits although the lease ran out, as long as nobody else claimed the key", async () => {
        const claim = await take();
        expire();
        await store.transaction(claim.token, "mailer", writing("letter"));
        assert.deepEqual(await rows(), ["letter"]);
        assert.deepEqual(await doneOf(claim), ["mailer"]);
      });

      it("rolls back and rejects with StaleTokenError where the subscriber is done already", async () => {
        const claim = await take();
        await store.transaction(claim.token, "mailer", writing("letter"));
        await assert.rejects(store.transaction(claim.token, "mailer", writing("again")), StaleTokenError);
        await store.markDone(claim.token, "ledger");
        await assert.rejects(store.transaction(claim.token, "ledger", writing("entry")), StaleTokenError);
        assert.deepEqual(await rows(), ["letter"]);
        assert.deepEqual(await doneOf(claim), ["mailer", "ledger"]);
      });

      it("keeps the marks of several subscribers in their order", async () => {
        const claim = await take();
        await store.transaction(claim.token, "mailer", writing("letter"));
        await store.markDone(claim.token, "audit");
        await store.transaction(claim.token, "ledger", writing("entry"));
        assert.deepEqual(await rows(), ["entry", "letter"]);
        assert.deepEqual(await doneOf(claim), ["mailer", "audit", "ledger"]);
      });

      for (const statement of ["COMMIT", "ROLLBACK"]) {
        it(`rejects with ConfigurationError where fn says ${statement} itself, and undoes no other work`, async () => {
          const other = await take("bus:other");
          await store.markDone(other.token, "audit");
          const claim = await take();
          await store.markDone(claim.token, "audit");
          const failing = store.transaction(
            claim.token,
            "mailer",
            (tx) => bench.execute(tx, statement) as Promise<unknown>,
          );
          await assert.rejects(failing, ConfigurationError);
          await store.transaction(claim.token, "ledger", writing("entry"));
          assert.deepEqual(await rows(), ["entry"]);
          assert.deepEqual(await doneOf(claim), ["audit", "ledger"]);
          assert.deepEqual(await doneOf(other), ["audit"]);
        });
      }

      it("awaits an async fn, or refuses it with TypeError and rolls back what it wrote", async () => {
        const claim = await take();
        const writing = store.transaction(claim.token, "mailer", async (tx) => {
          await bench.write(tx, "letter");
          await undefined;
        });
        await (bench.async ? writing : assert.rejects(writing, TypeError));
        assert.deepEqual(await rows(), bench.async ? ["letter"] : []);
        assert.deepEqual(await doneOf(claim), bench.async ? ["mailer"] : []);
      });
    });

    describe("markDoneWithin", () => {
      const mark = (claim: Taken, subscriber: string, text: string) => async (executor: unknown) => {
        await bench.write(executor, text);
        await store.markDoneWithin(claim.token, subscriber, executor);
      };

      it("is committed with the user's transaction", async () => {
        const claim = await take();
        await bench.owned(mark(claim, "mailer", "letter"));
        assert.deepEqual(await rows(), ["letter"]);
        assert.deepEqual(await doneOf(claim), ["mailer"]);
      });

      it("is rolled back with it", async () => {
        const claim = await take();
        const failing = bench.owned(async (executor) => {
          await mark(claim, "mailer", "letter")(executor);
          throw new Error("bang");
        });
        await assert.rejects(failing, /bang/);
        assert.deepEqual(await rows(), []);
        assert.deepEqual(await doneOf(claim), []);
      });

      it("rejects with StaleTokenError where another run has the key", async () => {
        const lost = await take();
        expire();
        const held = await take();
        await assert.rejects(bench.owned(mark(lost, "mailer", "letter")), StaleTokenError);
        assert.deepEqual(await rows(), []);
        assert.deepEqual(await doneOf(held), []);
      });

      it("rejects with StaleTokenError where the subscriber is done already", async () => {
        const claim = await take();
        await bench.owned(mark(claim, "mailer", "letter"));
        await assert.rejects(bench.owned(mark(claim, "mailer", "again")), StaleTokenError);
        assert.deepEqual(await rows(), ["letter"]);
      });

      it("rejects with TypeError where it is given no executor", async () => {
        const { token } = await take();
        for (const executor of [undefined, null, {}, "tx"]) {
          await assert.rejects(store.markDoneWithin(token, "mailer", executor), TypeError);
        }
      });
    });
  });
}

/** `next` after `before`, at once where `before` is no promise. */
function then<T>(before: unknown, next: () => T): T | Promise<T> {
  return before instanceof Promise ? before.then(next) : next();
}
