import { expect } from "chai";
import { Pool } from "pg";
import { systemClock } from "../../../src/clock.ts";
import { migrate } from "../../../src/databases/migrate.ts";
import { Postgres, postgresDialect } from "../../../src/databases/postgres.ts";
import { SQLITE_DIALECT, Sqlite } from "../../../src/databases/sqlite.ts";
import type { Database, Plan } from "../../../src/databases/statement.ts";
import { policyOf } from "../../../src/inbox/policy.ts";
import type { Change } from "../../../src/inbox/polled/record-store.ts";
import type { LeasedRecord } from "../../../src/inbox/record.ts";
import { PostgresRecords } from "../../../src/inbox/sql/postgres-records.ts";
import { COMPONENT, schema as tables } from "../../../src/inbox/sql/schema.ts";
import type { SqlRecords } from "../../../src/inbox/sql/sql-records.ts";
import { SqliteRecords } from "../../../src/inbox/sql/sqlite-records.ts";
import { write } from "../../../src/inbox/sql/write.ts";
import { ENGINES } from "../faults/engines.ts";
import { aRecord } from "../scripted-bus.ts";

const RECORDS = 40;

for (const engine of ENGINES) {
  describe(`marks on ${engine.name}`, () => {
    let storage: Awaited<ReturnType<typeof engine.make>>;
    let database: Database;
    let pool: Pool | undefined;
    let store: SqlRecords;
    let leased: readonly LeasedRecord[];
    let statements: number;

    before(function () {
      return engine.need(this);
    });

    beforeEach(async () => {
      storage = await engine.make();
      const { place } = storage;
      const now = (): number => Date.now();
      if (place.engine === "SQLite") {
        const sqlite = new Sqlite(place, now, () => migrate(SQLITE_DIALECT, COMPONENT, tables));
        database = sqlite;
        store = new SqliteRecords(sqlite, policyOf({}), "spec", false, now);
      } else {
        const { url, schema } = place;
        pool = new Pool({ connectionString: url, max: 2 });
        const prepare = (): Plan<void> => migrate(postgresDialect(schema), COMPONENT, tables);
        const postgres = new Postgres({ pool, schema }, undefined, prepare);
        database = postgres;
        store = new PostgresRecords(postgres, policyOf({}), false, systemClock);
      }
      const records = Array.from({ length: RECORDS }, (_, index) => aRecord("shop", { id: `evt_${index}` }));
      await store.insert(records.map((record) => [record]));
      leased = await store.lease({ bus: "shop", limit: RECORDS });
      expect(leased.length).to.equal(RECORDS);
    });

    afterEach(async () => {
      await database.close();
      await pool?.end();
      pool = undefined;
      await storage.drop();
    });

    function* counted<T>(plan: Plan<T>): Plan<T> {
      let step = plan.next();
      while (!step.done) {
        statements += 1;
        step = plan.next(yield step.value);
      }
      return step.value;
    }

    const written = async (changes: readonly Change[]): Promise<readonly boolean[]> => {
      statements = 0;
      return await database.run(() => counted(write(database.dialect, database.now(), changes)));
    };
    const markOf = ({ lease }: LeasedRecord, subscriber: string, rejected = false): Change => ({
      kind: "mark",
      lease,
      mark: { subscriber, rejected, at: 1_700_000_000_000 },
    });
    /** A record under a lease that another one has followed. */
    const stale = (record: LeasedRecord): LeasedRecord => ({
      ...record,
      lease: { ...record.lease, fence: record.lease.fence.replace(/\d+$/, "0") },
    });

    it("are written together: a slow server is not asked once for each", async () => {
      const changes = leased.flatMap((record) => [markOf(record, "mailer"), markOf(record, "ledger", true)]);
      expect(await written(changes)).to.deep.equal(changes.map(() => true));
      expect(statements).to.equal(2);
      for (const record of leased) {
        const { subscribers = [] } = (await store.get(record.key)) ?? {};
        expect(subscribers.map(({ subscriber, state }) => `${subscriber} ${state}`).sort()).to.deep.equal([
          "ledger rejected",
          "mailer done",
        ]);
      }
    });

    it("are refused, each by itself, where the lease is over", async () => {
      const [first, second, third] = leased as [LeasedRecord, LeasedRecord, LeasedRecord];
      const changes = [
        markOf(stale(first), "mailer"),
        markOf(second, "mailer"),
        markOf(stale(third), "mailer"),
        markOf(third, "mailer"),
      ];
      expect(await written(changes)).to.deep.equal([false, true, false, true]);
      expect((await store.get(first.key))?.subscribers).to.be.empty;
      expect((await store.get(third.key))?.subscribers.length).to.equal(1);
    });

    it("may come twice, and beside the end of their attempt", async () => {
      const [first] = leased as [LeasedRecord];
      const mark = markOf(first, "mailer");
      const end: Change = {
        kind: "end",
        lease: first.lease,
        outcome: { outcome: "done" },
        marks: mark.kind === "mark" ? [mark.mark] : [],
        first: true,
        dueInMs: 0,
      };
      expect(await written([mark, mark, end])).to.deep.equal([true, true, true]);
      expect(await written([mark, end])).to.deep.equal([false, false]);
      expect((await store.get(first.key))?.state).to.equal("done");
    });
  });
}
