import { expect } from "chai";
import { ConfigurationError } from "../../src/errors.ts";
import type { SqlIdempotency, SqlIdempotencyOptions } from "../../src/idempotency/sql.ts";
import { rejectionOf } from "../support/bus.ts";
import { ManualClock, type Taken } from "./contract.ts";

/** An empty database, as both dialects have one. */
export interface SqlBench {
  /** A store on it, with a connection of its own. */
  open(options: SqlIdempotencyOptions): SqlIdempotency;
  /** Runs SQL, in which `{}` stands before the name of a table, and gives its rows. */
  query(sql: string): Promise<readonly Record<string, unknown>[]>;
  /** Runs what the driver printed. */
  script(sql: string): Promise<unknown>;
  /** What the driver prints for this database. */
  readonly printed: string;
}

const TTL_MS = 1_000;

/** What both drivers on SQL do with their tables, as a mocha suite. */
export function sqlContract(name: string, makeBench: () => Promise<SqlBench>): void {
  describe(`${name} and its tables`, () => {
    let clock: ManualClock;
    let bench: SqlBench;
    let opened: SqlIdempotency[];

    beforeEach(async () => {
      clock = new ManualClock();
      bench = await makeBench();
      opened = [];
    });

    afterEach(async () => {
      for (const store of opened) await store.close();
    });

    const open = (options: SqlIdempotencyOptions = {}): SqlIdempotency => {
      const store = bench.open({ now: clock.now, ...options });
      opened.push(store);
      return store;
    };

    const take = async (store: SqlIdempotency, key: string, leaseMs = 100): Promise<Taken> => {
      const result = await store.claim(key, { leaseMs, fingerprint: "f" });
      if (result.state !== "claimed") throw new Error(`expected a claim, got ${JSON.stringify(result)}`);
      return result;
    };

    const keys = async (): Promise<unknown[]> =>
      (await bench.query("SELECT key FROM {}hookbus_idempotency ORDER BY key")).map(({ key }) => key);
    const marks = async (): Promise<unknown[]> =>
      (await bench.query("SELECT key FROM {}hookbus_idempotency_mark ORDER BY key")).map(({ key }) => key);

    describe("migrations", () => {
      it("make the tables on first use, and not before", async () => {
        const store = open();
        expect(await rejectionOf(keys())).to.be.instanceOf(Error);
        await store.ping();
        expect(await keys()).to.deep.equal([]);
      });

      it("may be run by several processes at once", async () => {
        const stores = Array.from({ length: 5 }, () => open());
        await Promise.all(stores.map((store) => store.ping()));
        expect(await bench.query("SELECT component, version FROM {}hookbus_migration")).to.deep.equal([
          { component: "hookbus_idempotency", version: 1 },
        ]);
      });

      it("leave tables alone that are up to date", async () => {
        await take(open(), "a");
        await take(open(), "b");
        expect(await keys()).to.deep.equal(["a", "b"]);
      });

      it("refuse tables of a newer hookbus, whether they migrate or not", async () => {
        await open().ping();
        await bench.query("INSERT INTO {}hookbus_migration (component, version) VALUES ('hookbus_idempotency', 99)");
        for (const migrate of [true, false]) {
          const error = await rejectionOf(Promise.resolve(open({ migrate }).ping()));
          expect(error).to.be.instanceOf(ConfigurationError);
          expect(String(error)).to.match(/hookbus_idempotency are at version 99.*update hookbus/);
        }
      });

      it("with `migrate: false` say what is missing, and make nothing", async () => {
        const store = open({ migrate: false });
        const error = await rejectionOf(take(store, "a"));
        expect(error).to.be.instanceOf(ConfigurationError);
        expect(String(error)).to.match(/hookbus_idempotency are at version 0 and must be at 1.*`migrate: false`/);
        expect(await rejectionOf(keys())).to.be.instanceOf(Error);
      });

      it("print SQL that makes the tables, and that may be run again", async () => {
        const store = open({ migrate: false });
        await rejectionOf(take(store, "a"));
        await bench.script(bench.printed);
        await bench.script(bench.printed);
        await store.complete((await take(store, "a")).token);
        expect(await keys()).to.deep.equal(["a"]);
        await open({ migrate: true }).ping();
      });
    });

    describe("old keys", () => {
      it("are deleted with the first claim of a process, when nobody has held them for ttlMs", async () => {
        const store = open({ ttlMs: TTL_MS });
        await store.complete((await take(store, "handled")).token);
        const half = await take(store, "half-done");
        await store.markDone(half.token, "mailer");
        await store.release(half.token);
        const vanished = await take(store, "vanished");
        await store.markDone(vanished.token, "mailer");
        clock.advance(100 + TTL_MS);
        await take(open({ ttlMs: TTL_MS }), "new");
        expect(await keys()).to.deep.equal(["new", "vanished"]);
        clock.advance(1);
        await take(open({ ttlMs: TTL_MS }), "newer");
        expect(await keys()).to.deep.equal(["new", "newer"]);
        expect(await marks()).to.deep.equal([]);
      });

      it("are kept for ninety days by default", async () => {
        const store = open();
        await store.complete((await take(store, "handled")).token);
        clock.advance(90 * 24 * 60 * 60 * 1000);
        await take(open(), "new");
        expect(await keys()).to.include("handled");
        clock.advance(1);
        await take(open(), "newer");
        expect(await keys()).not.to.include("handled");
      });

      it("never include one that is held, nor its marks", async () => {
        const store = open({ ttlMs: TTL_MS });
        const held = await take(store, "held", 10 * TTL_MS);
        await store.markDone(held.token, "mailer");
        clock.advance(9 * TTL_MS);
        await take(open({ ttlMs: TTL_MS }), "new");
        await store.markDone(held.token, "ledger");
        await store.release(held.token);
        expect((await take(store, "held")).done).to.deep.equal(["mailer", "ledger"]);
      });

      it("are deleted again with one claim in 250, and 500 at most at a time", async () => {
        const store = open({ ttlMs: TTL_MS });
        await take(store, "first");
        const old = Array.from({ length: 600 }, (_, index) => `('old ${index}', 1, ${clock.time}, 'f', 1, 1)`);
        await bench.query(
          `INSERT INTO {}hookbus_idempotency (key, lease_ms, lease_end, fingerprint, claims, done) VALUES ${old.join()}`,
        );
        clock.advance(TTL_MS + 1);
        const left = async (): Promise<number> => (await keys()).filter((key) => String(key).startsWith("old")).length;
        for (let claims = 1; claims < 250; claims += 1) await store.claim("first", { leaseMs: 1, fingerprint: "f" });
        expect(await left()).to.equal(600);
        await store.claim("first", { leaseMs: 1, fingerprint: "f" });
        expect(await left()).to.equal(100);
      });

      it("do not keep a claim from being made when they cannot be deleted", async () => {
        const store = open();
        await store.ping();
        await bench.query("ALTER TABLE {}hookbus_idempotency_mark RENAME TO gone");
        expect(await take(store, "a")).to.include({ state: "claimed" });
        await bench.query("UPDATE {}hookbus_idempotency SET lease_end = 0, fence = NULL");
        expect(await take(open(), "b")).to.include({ state: "claimed" });
        expect(await keys()).to.deep.equal(["a", "b"]);
      });
    });

    it("drops the marks of a handled event", async () => {
      const store = open();
      const { token } = await take(store, "a");
      await store.markDone(token, "mailer");
      await store.complete(token);
      expect(await marks()).to.deep.equal([]);
    });

    for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      it(`refuses ${value} for \`ttlMs\``, () => {
        expect(() => open({ ttlMs: value })).to.throw(ConfigurationError, "`ttlMs`");
      });
    }
  });
}
