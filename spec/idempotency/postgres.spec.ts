import { expect } from "chai";
import { Pool, type PoolClient } from "pg";
import { ConfigurationError, StaleTokenError, StoreUnavailableError } from "../../src/errors.ts";
import { postgresIdempotency, postgresIdempotencySql } from "../../src/idempotency/postgres.ts";
import type { SqlIdempotency } from "../../src/idempotency/sql.ts";
import type { ClaimToken } from "../../src/idempotency/store.ts";
import { rejectionOf } from "../support/bus.ts";
import { needPostgres, POSTGRES_URL, type TestSchema, testSchema } from "../support/servers.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { idempotencyContract, LEASE_MS, ManualClock } from "./contract.ts";
import { durableContract } from "./durable-contract.ts";
import { sqlContract } from "./sql-contract.ts";
import type { TransactionBench } from "./transaction-contract.ts";

describe("postgresIdempotency", () => {
  let test: TestSchema;

  before(async function () {
    await needPostgres(this);
    test = await testSchema();
    await test.pool.query(`CREATE TABLE ${test.schema}.effect (text text NOT NULL)`);
  });

  after(() => test?.drop());

  afterEach(async () => {
    const tables = ["hookbus_idempotency", "hookbus_idempotency_mark", "hookbus_migration", "gone"];
    await test.pool.query(
      `${tables.map((table) => `DROP TABLE IF EXISTS ${test.schema}.${table};`).join("")} TRUNCATE ${test.schema}.effect`,
    );
  });

  const rows = async (): Promise<string[]> => {
    const result = await test.pool.query(`SELECT text FROM ${test.schema}.effect ORDER BY text`);
    return result.rows.map(({ text }) => text);
  };

  const write = (tx: unknown, text: string): Promise<unknown> =>
    (tx as PoolClient).query(`INSERT INTO ${test.schema}.effect VALUES ($1)`, [text]);

  /** A transaction of the user's own, on a client of the pool. */
  const owned = async (work: (client: PoolClient) => Promise<void>): Promise<void> => {
    const client = await test.pool.connect();
    try {
      await client.query("BEGIN");
      await work(client);
      await client.query("COMMIT");
    } catch (error) {
      await client.query("ROLLBACK");
      throw error;
    } finally {
      client.release();
    }
  };

  const bench = (): TransactionBench => ({
    async: true,
    write,
    execute: (tx, sql) => (tx as PoolClient).query(sql),
    rows,
    owned,
  });

  const open = (options: Partial<Parameters<typeof postgresIdempotency>[0]> = {}): SqlIdempotency =>
    postgresIdempotency({ pool: test.pool, schema: test.schema, ...options });

  idempotencyContract("postgresIdempotency", ({ now }) => open({ now }), { transactions: bench });

  durableContract("postgresIdempotency", () => {
    const { schema } = test;
    return ({ now }) => {
      const pool = new Pool({ connectionString: POSTGRES_URL, max: 1 });
      return withEnd(postgresIdempotency({ pool, schema, now }), pool);
    };
  });

  sqlContract("postgresIdempotency", async () => ({
    open,
    query: async (sql) => (await test.pool.query(sql.replaceAll("{}", `${test.schema}.`))).rows,
    script: (sql) => test.pool.query(sql),
    printed: postgresIdempotencySql({ schema: test.schema }),
  }));

  const claim = (store: SqlIdempotency, key = "bus:evt_1") => store.claim(key, { leaseMs: LEASE_MS, fingerprint: "f" });

  const take = async (store: SqlIdempotency, key?: string): Promise<ClaimToken> => {
    const result = await claim(store, key);
    if (result.state !== "claimed") throw new Error(`expected a claim, got ${JSON.stringify(result)}`);
    return result.token;
  };

  /** Resolves when `count` connections to the suite's tables wait for a lock. */
  const blocked = async (count = 1): Promise<void> => {
    const text = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE $1";
    const giveUp = Date.now() + 8_000;
    while ((await test.pool.query(text, [`%${test.schema}%`])).rowCount !== count) {
      if (Date.now() > giveUp) throw new Error("nobody waits for a lock");
    }
  };

  describe("transaction", () => {
    it("rolls back where another run claims the key while fn works", async () => {
      const clock = new ManualClock();
      const store = open({ now: clock.now });
      const token = await take(store);
      const failing = store.transaction(token, "mailer", async (tx: PoolClient) => {
        await write(tx, "letter");
        clock.advance(LEASE_MS);
        expect(await claim(store)).to.deep.include({ state: "claimed", done: [] });
      });
      expect(await rejectionOf(failing)).to.be.instanceOf(StaleTokenError);
      expect(await rows()).to.deep.equal([]);
    });

    it("rolls back, and says why, where fn lets a statement fail unnoticed", async () => {
      const store = open();
      const token = await take(store);
      const failing = store.transaction(token, "mailer", async (tx: PoolClient) => {
        await write(tx, "letter");
        await tx.query("SELECT nonsense").catch(() => undefined);
      });
      const error = await rejectionOf(failing);
      expect(error).to.be.instanceOf(ConfigurationError);
      expect(String(error)).to.contain("let errors out of `fn`");
      expect(await rows()).to.deep.equal([]);
    });

    it("commits with a pool of one client, for which heartbeats wait meanwhile", async () => {
      const pool = new Pool({ connectionString: POSTGRES_URL, max: 1 });
      const store = open({ pool });
      const token = await take(store);
      let beat: Promise<void> | undefined;
      await store.transaction(token, "mailer", async (tx: PoolClient) => {
        beat = store.extend(token, LEASE_MS);
        await write(tx, "letter");
      });
      await beat;
      await store.complete(token);
      expect(await rows()).to.deep.equal(["letter"]);
      await pool.end();
    });
  });

  describe("a mark and a claim of the same key", () => {
    it("wait for each other: the claim is told of a mark that is committed before it", async () => {
      const clock = new ManualClock();
      const store = open({ now: clock.now });
      const token = await take(store);
      clock.advance(LEASE_MS);
      let next: ReturnType<typeof claim> | undefined;
      await owned(async (client) => {
        await store.markDoneWithin(token, "mailer", client);
        next = claim(store);
        await blocked();
      });
      expect(await next).to.deep.include({ state: "claimed", done: ["mailer"] });
    });

    it("wait for each other: a mark is refused that comes after the claim", async () => {
      const store = open();
      const token = await take(store);
      const refused: Promise<unknown>[] = [];
      await owned(async (client) => {
        await client.query(`UPDATE ${test.schema}.hookbus_idempotency SET fence = 'another'`);
        refused.push(rejectionOf(store.markDone(token, "a")));
        refused.push(rejectionOf(store.transaction(token, "b", (tx) => write(tx, "letter"))));
        refused.push(rejectionOf(owned((own) => store.markDoneWithin(token, "c", own))));
        await blocked(3);
      });
      for (const error of await Promise.all(refused)) expect(error).to.be.instanceOf(StaleTokenError);
      expect(await rows()).to.deep.equal([]);
      const marks = await test.pool.query(`SELECT FROM ${test.schema}.hookbus_idempotency_mark`);
      expect(marks.rowCount).to.equal(0);
    });
  });

  describe("markDoneWithin", () => {
    /** An ORM that hides what the database answers, and wraps what it fails with. */
    const orm = (client: PoolClient) => async (text: string, values: unknown[]) => {
      try {
        await client.query(text, values);
        return [{ affected: 0 }];
      } catch (cause) {
        throw new Error("Failed query", { cause });
      }
    };

    it("takes a function in place of a client, whatever it resolves to", async () => {
      const store = open();
      const token = await take(store);
      await owned((client) => store.markDoneWithin(token, "mailer", orm(client)));
      await store.release(token);
      expect(await claim(store)).to.deep.include({ state: "claimed", done: ["mailer"] });
    });

    for (const [reason, spoil] of [
      ["the claim is lost", (store: SqlIdempotency, token: ClaimToken) => store.complete(token)],
      ["the subscriber is done", (store: SqlIdempotency, token: ClaimToken) => store.markDone(token, "mailer")],
    ] as const) {
      it(`makes a commit impossible where ${reason}, even if nobody looks`, async () => {
        const store = open();
        const token = await take(store);
        await spoil(store, token);
        const client = await test.pool.connect();
        await client.query("BEGIN");
        await write(client, "letter");
        expect(await rejectionOf(store.markDoneWithin(token, "mailer", orm(client)))).to.be.instanceOf(StaleTokenError);
        // Nobody looked.
        await client.query("COMMIT");
        client.release();
        expect(await rows()).to.deep.equal([]);
      });
    }

    it("rejects with what else the database says", async () => {
      const store = open();
      const token = await take(store);
      await test.pool.query(`DROP TABLE ${test.schema}.hookbus_idempotency_mark`);
      const error = await rejectionOf(owned((client) => store.markDoneWithin(token, "mailer", client)));
      expect(error).not.to.be.instanceOf(StaleTokenError);
      expect(String(error)).to.contain("does not exist");
    });
  });

  describe("faults", () => {
    let proxy: TcpProxy;
    let pool: Pool;

    const through = async (start: "start" | "down", max = 1): Promise<void> => {
      proxy = await TcpProxy[start](POSTGRES_URL);
      pool = new Pool({ connectionString: proxy.through(POSTGRES_URL), max });
    };

    afterEach(async () => {
      await proxy.close();
      await pool.end();
    });

    it("rejects while the server is down at the start, and works once it is up", async () => {
      await through("down");
      const store = open({ pool });
      for (const call of [() => take(store), () => store.ping()]) {
        expect(await rejectionOf(call())).to.include({ code: "ECONNREFUSED" });
      }
      await proxy.up();
      await store.complete(await take(store));
    });

    it("rejects while the server is down in the middle of a run, which goes on when it is back", async () => {
      await through("start");
      const store = open({ pool });
      const token = await take(store);
      await proxy.down();
      for (const call of [
        () => store.extend(token, LEASE_MS),
        () => store.markDone(token, "mailer"),
        () => store.complete(token),
        () => store.release(token),
        () => store.transaction(token, "mailer", (tx) => write(tx, "letter")),
      ]) {
        expect(await rejectionOf(call())).not.to.be.instanceOf(StaleTokenError);
      }
      await proxy.up();
      await store.transaction(token, "mailer", (tx) => write(tx, "letter"));
      await store.complete(token);
      expect(await rows()).to.deep.equal(["letter"]);
    });

    it("rolls back where the connection is cut while fn works", async () => {
      await through("start");
      const store = open({ pool });
      const token = await take(store);
      const failing = store.transaction(token, "mailer", async (tx: PoolClient) => {
        await write(tx, "letter");
        proxy.cut();
        await write(tx, "another");
      });
      expect(await rejectionOf(failing)).to.be.instanceOf(Error);
      expect(await rows()).to.deep.equal([]);
      await store.transaction(token, "mailer", (tx) => write(tx, "letter"));
      expect(await rows()).to.deep.equal(["letter"]);
    });

    it("keeps a key busy for one lease whose claim was made and whose reply was lost", async () => {
      await through("start");
      const clock = new ManualClock();
      const store = open({ pool, now: clock.now });
      await store.ping();
      const lost = proxy.loseReply();
      expect(await rejectionOf(take(store))).to.be.instanceOf(Error);
      await lost;
      expect(await claim(store)).to.deep.equal({ state: "busy" });
      clock.advance(LEASE_MS);
      await take(store);
    });

    it("may be told again what it did when the reply was lost", async () => {
      await through("start");
      const store = open({ pool });
      const token = await take(store);
      const lost = proxy.loseReply();
      expect(await rejectionOf(store.markDone(token, "mailer"))).to.be.instanceOf(Error);
      await lost;
      await store.markDone(token, "mailer");
      await store.release(token);
      expect(await claim(store)).to.deep.include({ state: "claimed", done: ["mailer"] });
    });

    it("knows that a subscriber is done whose commit was made and whose reply was lost", async () => {
      await through("start");
      const clock = new ManualClock();
      const store = open({ pool, now: clock.now });
      const token = await take(store);
      let lost: Promise<void> | undefined;
      const failing = store.transaction(token, "mailer", async (tx: PoolClient) => {
        await write(tx, "letter");
        // After those to RELEASE and to the mark.
        lost = proxy.loseReply(3);
      });
      expect(await rejectionOf(failing)).to.be.instanceOf(Error);
      await lost;
      expect(await rows()).to.deep.equal(["letter"]);
      clock.advance(LEASE_MS);
      expect(await claim(store)).to.deep.include({ state: "claimed", done: ["mailer"] });
    });

    it("rejects within `timeoutMs` while the server stalls, and works once it goes on", async () => {
      await through("start");
      const store = open({ pool, timeoutMs: 1_000 });
      await open({ pool }).ping();
      const token = await take(store);
      proxy.stall();
      for (const call of [() => take(store, "bus:evt_2"), () => store.complete(token)]) {
        const error = await rejectionOf(call());
        expect(error).to.be.instanceOf(StoreUnavailableError);
        expect(String(error)).to.contain("PostgreSQL did not answer within 1000 ms");
      }
      proxy.resume();
      proxy.cut();
      await open({ pool }).complete(token);
    });

    it("rejects within `timeoutMs` where the server stalls before the commit, which is not made", async () => {
      await through("start");
      const store = open({ pool, timeoutMs: 1_000 });
      await open({ pool }).ping();
      const token = await take(store);
      const failing = store.transaction(token, "mailer", async (tx: PoolClient) => {
        await write(tx, "letter");
        proxy.stall();
      });
      expect(await rejectionOf(failing)).to.be.instanceOf(StoreUnavailableError);
      proxy.cut();
      proxy.resume();
      expect(await rows()).to.deep.equal([]);
    });

    it("rejects within `timeoutMs` where the pool has no client to spare, and takes one later", async () => {
      await through("start");
      const store = open({ pool, timeoutMs: 1_000 });
      await open({ pool }).ping();
      await store.ping();
      const client = await pool.connect();
      expect(await rejectionOf(take(store))).to.be.instanceOf(StoreUnavailableError);
      client.release();
      await take(store);
      // The client that came too late for the first claim went back.
      await take(store, "bus:evt_2");
    });
  });

  describe("settings", () => {
    for (const setting of ["fsync", "synchronous_commit"]) {
      it(`refuse a server with ${setting} off, unless it may lose what it committed`, async () => {
        // `fsync` can be changed for the whole server alone, so this one only says so.
        const pool = new Pool({ connectionString: POSTGRES_URL, max: 1 });
        const saying = saysOff(pool, setting);
        const error = await rejectionOf(take(open({ pool: saying })));
        expect(error).to.be.instanceOf(ConfigurationError);
        expect(String(error)).to.contain(`\`${setting}\` off`).and.contain("`allowVolatile: true`");
        await take(open({ pool: saying, allowVolatile: true }));
        await pool.end();
      });
    }

    it("leave the tables in the first schema of the search path where none is named", async () => {
      const pool = new Pool({ connectionString: POSTGRES_URL, options: `-c search_path=${test.schema}`, max: 1 });
      const store = postgresIdempotency({ pool });
      await store.complete(await take(store));
      await pool.end();
      expect(await claim(open())).to.include({ state: "done" });
    });

    it("do not matter to a complete that a heartbeat comes between, whatever the pool's transactions see", async () => {
      const isolation = "-c default_transaction_isolation=serializable";
      const pool = new Pool({ connectionString: POSTGRES_URL, options: isolation, max: 1 });
      const store = open({ pool });
      const token = await take(store);
      let completing: Promise<void> | undefined;
      await owned(async (client) => {
        await client.query(`UPDATE ${test.schema}.hookbus_idempotency SET lease_end = lease_end + 1`);
        completing = store.complete(token);
        await blocked();
      });
      await completing;
      await pool.end();
    });

    it("read the server's clock where none is given", async () => {
      await take(open());
      const { rows } = await test.pool.query(
        `SELECT lease_end - extract(epoch FROM clock_timestamp()) * 1000 AS left FROM ${test.schema}.hookbus_idempotency`,
      );
      expect(Number(rows[0].left)).to.be.within(LEASE_MS - 10_000, LEASE_MS);
    });

    it("let any number of stores share a pool", async () => {
      open();
      const before = test.pool.listenerCount("error");
      for (let count = 0; count < 20; count += 1) open();
      expect(test.pool.listenerCount("error")).to.equal(before);
    });

    it("leave the pool open", async () => {
      const store = open();
      await store.close();
      await test.pool.query("SELECT 1");
    });

    it("need a pool, a plain schema and whole milliseconds", () => {
      expect(() => postgresIdempotency({ pool: {} as Pool })).to.throw(ConfigurationError, "`pool`");
      expect(() => postgresIdempotency({ pool: undefined as unknown as Pool })).to.throw(ConfigurationError, "`pool`");
      expect(() => open({ timeoutMs: 0 })).to.throw(ConfigurationError, "`timeoutMs`");
      for (const schema of ["", "a b", 'a"; DROP', "1a", "a".repeat(64)]) {
        expect(() => open({ schema }), schema).to.throw(ConfigurationError, "`schema`");
        expect(() => postgresIdempotencySql({ schema }), schema).to.throw(ConfigurationError, "`schema`");
      }
    });
  });
});

/** The pool of a server that says of a setting that it is off. */
function saysOff(pool: Pool, setting: string): Pool {
  pool.on("connect", (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => Promise<{ rows: Record<string, unknown>[] }>;
    client.query = (async (...args: unknown[]) => {
      const result = await query(...args);
      const [row] = result.rows ?? [];
      if (row && setting in row) row[setting] = "off";
      return result;
    }) as typeof client.query;
  });
  return pool;
}

/** A store whose `close` ends the pool as well. */
function withEnd(store: SqlIdempotency, pool: Pool): SqlIdempotency {
  store.close = () => pool.end();
  return store;
}
