import { expect } from "chai";
import { Redis } from "ioredis";
import { createClient, RESP_TYPES } from "redis";
import type { IoredisClient } from "../../src/databases/redis.ts";
import { ConfigurationError, StaleTokenError, StoreUnavailableError } from "../../src/errors.ts";
import {
  type RedisClient,
  type RedisIdempotency,
  type RedisIdempotencyOptions,
  redisIdempotency,
} from "../../src/idempotency/redis.ts";
import type { Awaitable, Claim, ClaimToken } from "../../src/idempotency/store.ts";
import { rejectionOf } from "../support/bus.ts";
import { needRedis, REDIS_URL, testPrefix } from "../support/servers.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { idempotencyContract, LEASE_MS, ManualClock } from "./contract.ts";
import { durableContract } from "./durable-contract.ts";

interface Connected {
  readonly client: RedisClient;
  end(): Awaitable<unknown>;
}

/** How each library connects, with its settings as they come; `lazily` where nobody listens yet. */
const libraries: Readonly<Record<string, (url: string, lazily?: boolean) => Promise<Connected>>> = {
  ioredis: async (url) => {
    const client = new Redis(url);
    client.on("error", () => undefined);
    return { client, end: () => client.disconnect() };
  },
  redis: async (url, lazily = false) => {
    const client = createClient({ url });
    client.on("error", () => undefined);
    const connecting = client.connect();
    if (lazily) connecting.catch(() => undefined);
    else await connecting;
    return { client, end: () => client.destroy() };
  },
};

describe("redisIdempotency", () => {
  const prefix = testPrefix();
  let prefixes = 0;
  const newPrefix = (): string => `${prefix}-${++prefixes}`;
  let raw: Redis;
  let opened: Connected[];

  before(async function () {
    await needRedis(this);
    raw = new Redis(REDIS_URL);
  });

  beforeEach(() => {
    opened = [];
  });

  afterEach(async () => {
    for (const each of opened) await each.end();
  });

  after(async () => {
    if (!raw) return;
    for await (const keys of raw.scanStream({ match: `*${prefix}*`, count: 1_000 })) {
      if (keys.length > 0) await raw.del(keys);
    }
    raw.disconnect();
  });

  const connect = async (library: string, url = REDIS_URL, lazily = false): Promise<RedisClient> => {
    const connected = await libraries[library]?.(url, lazily);
    if (!connected) throw new Error(`no library ${library}`);
    opened.push(connected);
    return connected.client;
  };

  /** The server of the specs need not be one that keeps anything. */
  const open = (options: Partial<RedisIdempotencyOptions> = {}): RedisIdempotency =>
    redisIdempotency({ client: raw, prefix: newPrefix(), allowVolatile: true, ...options });

  const claim = (store: RedisIdempotency, key = "bus:evt_1"): Promise<Claim> =>
    store.claim(key, { leaseMs: LEASE_MS, fingerprint: "f" });

  const take = async (store: RedisIdempotency, key?: string): Promise<ClaimToken> => {
    const result = await claim(store, key);
    if (result.state !== "claimed") throw new Error(`expected a claim, got ${JSON.stringify(result)}`);
    return result.token;
  };

  for (const library of Object.keys(libraries)) {
    idempotencyContract(`redisIdempotency on ${library}`, async ({ now }) =>
      open({ client: await connect(library), now }),
    );

    durableContract(`redisIdempotency on ${library}`, () => {
      const shared = newPrefix();
      return async ({ now }) => open({ client: await connect(library), prefix: shared, now });
    });

    describe(`faults on ${library}`, () => {
      let proxy: TcpProxy;

      const through = async (start: "start" | "down"): Promise<RedisClient> => {
        proxy = await TcpProxy[start](REDIS_URL);
        return connect(library, proxy.through(REDIS_URL), start === "down");
      };

      afterEach(async () => {
        for (const each of opened.splice(0)) await each.end();
        await proxy.close();
      });

      it("rejects within `timeoutMs` while the server is down at the start, and works once it is up", async () => {
        const client = await through("down");
        const failing = open({ client, timeoutMs: 50 });
        for (const call of [() => take(failing), () => failing.ping()]) {
          const error = await rejectionOf(call());
          expect(error).to.be.instanceOf(StoreUnavailableError);
          expect(String(error)).to.contain("Redis did not answer within 50 ms");
        }
        await proxy.up();
        const store = open({ client });
        await store.complete(await take(store));
      });

      it("rejects while the server is down in the middle of a run, which goes on when it is back", async () => {
        const client = await through("start");
        const shared = newPrefix();
        const token = await take(open({ client, prefix: shared }));
        await proxy.down();
        const failing = open({ client, prefix: shared, timeoutMs: 50 });
        for (const call of [() => failing.extend(token, LEASE_MS), () => failing.markDone(token, "mailer")]) {
          expect(await rejectionOf(call())).not.to.be.instanceOf(StaleTokenError);
        }
        await proxy.up();
        const store = open({ client, prefix: shared });
        await store.markDone(token, "mailer");
        await store.release(token);
        expect(await claim(store)).to.deep.include({ state: "claimed", done: ["mailer"] });
      });

      it("has a claim whose reply was lost, or keeps its key busy for one lease", async () => {
        const client = await through("start");
        const clock = new ManualClock();
        const store = open({ client, now: clock.now });
        // The server knows the script from here on, so that it is no refusal that is lost.
        await take(store, "bus:evt_0");
        const lost = proxy.loseReply();
        const claiming = claim(store).catch(() => undefined);
        await lost;
        // ioredis asks again by itself, and is given the claim that it has.
        expect((await claiming)?.state).to.equal(library === "ioredis" ? "claimed" : undefined);
        expect(await claim(store)).to.deep.equal({ state: "busy" });
        clock.advance(LEASE_MS);
        await take(store);
      });

      it("may be told again what it did when the reply was lost", async () => {
        const client = await through("start");
        const store = open({ client });
        const token = await take(store);
        await store.markDone(await take(store, "bus:evt_0"), "mailer");
        const lost = proxy.loseReply();
        const marking = store.markDone(token, "mailer").catch(() => undefined);
        await lost;
        await marking;
        await store.markDone(token, "mailer");
        await store.release(token);
        expect(await claim(store)).to.deep.include({ state: "claimed", done: ["mailer"] });
      });

      it("rejects within `timeoutMs` while the server stalls, and works once it goes on", async () => {
        const client = await through("start");
        const shared = newPrefix();
        const token = await take(open({ client, prefix: shared }));
        proxy.stall();
        const failing = open({ client, prefix: shared, timeoutMs: 50 });
        for (const call of [
          () => failing.claim("bus:evt_2", { leaseMs: 1, fingerprint: "f" }),
          () => failing.extend(token, LEASE_MS),
          () => failing.markDone(token, "mailer"),
          () => failing.ping(),
        ]) {
          expect(await rejectionOf(Promise.resolve(call()))).to.be.instanceOf(StoreUnavailableError);
        }
        proxy.resume();
        await open({ client, prefix: shared }).complete(token);
      });
    });
  }

  describe("a server that may forget", () => {
    /** A client of a server that says of itself what it is told to say. */
    const saying = (say: () => unknown): { readonly client: RedisClient; readonly asked: () => number } => {
      let asked = 0;
      const { evalsha, eval: evaluate, ping } = raw as IoredisClient;
      const info = async (): Promise<unknown> => {
        asked += 1;
        return say();
      };
      const client = { evalsha: evalsha.bind(raw), eval: evaluate.bind(raw), ping: ping.bind(raw), info };
      return { client, asked: () => asked };
    };

    const KEEPS = "# Memory\r\nmaxmemory_policy:noeviction\r\n# Persistence\r\naof_enabled:1\r\n";

    for (const [what, info, advice] of [
      ["without an append-only file", KEEPS.replace("aof_enabled:1", "aof_enabled:0"), "`appendonly yes`"],
      ["that does not mention its append-only file", "# Memory\r\nmaxmemory_policy:noeviction", "`appendonly yes`"],
      ["that evicts", KEEPS.replace("noeviction", "allkeys-lru"), "`maxmemory-policy allkeys-lru`"],
      ["that does not mention eviction", "aof_enabled:1", "`maxmemory-policy noeviction`"],
    ] as const) {
      it(`is refused: one ${what}`, async () => {
        const { client } = saying(() => info);
        for (const call of [
          () => take(open({ client, allowVolatile: false })),
          () => open({ client, allowVolatile: undefined }).ping(),
        ]) {
          const error = await rejectionOf(call());
          expect(error).to.be.instanceOf(ConfigurationError);
          expect(String(error)).to.contain(advice).and.contain("`allowVolatile: true`");
        }
        await take(open({ client }));
      });
    }

    for (const message of ["NOPERM this user has no permissions", "ERR unknown command 'info'"]) {
      it(`is refused: one that does not let itself be asked (${message})`, async () => {
        const { client } = saying(() => {
          throw new Error(message);
        });
        const error = await rejectionOf(take(open({ client, allowVolatile: false })));
        expect(error).to.be.instanceOf(ConfigurationError);
        expect(String(error)).to.contain("allow `INFO`");
      });
    }

    it("is not asked where it may forget", async () => {
      const { client, asked } = saying(() => KEEPS);
      await take(open({ client }));
      expect(asked()).to.equal(0);
    });

    it("is asked once, and again only after it did not answer or was refused", async () => {
      const answers = [() => new Error("LOADING"), () => KEEPS.replace("1", "0"), () => KEEPS];
      const { client, asked } = saying(() => {
        const answer = answers.length > 1 ? answers.shift()?.() : answers[0]?.();
        if (answer instanceof Error) throw answer;
        return answer;
      });
      const store = open({ client, allowVolatile: false });
      expect(String(await rejectionOf(take(store)))).to.contain("LOADING");
      expect(await rejectionOf(take(store))).to.be.instanceOf(ConfigurationError);
      await Promise.all(["a", "b", "c"].map((key) => take(store, key)));
      await store.ping();
      expect(asked()).to.equal(3);
    });
  });

  describe("scripts", () => {
    it("are sent whole to a server that does not know them", async () => {
      const unknown: RedisClient = {
        ...pick(raw as IoredisClient),
        evalsha: () => Promise.reject(new Error("NOSCRIPT No matching script. Please use EVAL.")),
      };
      const store = open({ client: unknown });
      await store.complete(await take(store));
      expect(await claim(store)).to.include({ state: "done" });
    });

    it("fail as the server says, and nothing is guessed", async () => {
      const full = "OOM command not allowed when used memory > 'maxmemory'.";
      const failing: RedisClient = { ...pick(raw as IoredisClient), evalsha: () => Promise.reject(new Error(full)) };
      const store = open({ client: failing });
      expect(String(await rejectionOf(take(store)))).to.contain(full);
      const token = { key: "bus:evt_1", fence: "1" };
      expect(await rejectionOf(store.complete(token))).not.to.be.instanceOf(StaleTokenError);
    });

    it("may be answered with buffers", async () => {
      const client = createClient({ url: REDIS_URL });
      await client.connect();
      const store = open({ client: client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }) });
      const first = await take(store);
      await store.markDone(first, "mailer");
      await store.release(first);
      const second = await claim(store);
      expect(second).to.deep.include({ state: "claimed", done: ["mailer"] });
      if (second.state === "claimed") await store.complete(second.token);
      expect(await claim(store)).to.deep.equal({ state: "done", fingerprint: "f" });
      client.destroy();
    });
  });

  describe("keys", () => {
    const TTL_MS = 1_000_000;

    /** How long the server will keep the key, in milliseconds. */
    const left = async (key: string): Promise<number> => raw.pttl(key);

    it("outlive a claim's lease by ttlMs, and its end by no more", async () => {
      const own = newPrefix();
      const store = open({ prefix: own, ttlMs: TTL_MS });
      const at = `${own}:bus:evt_1`;
      const near = async (ms: number): Promise<void> => {
        expect(await left(at)).to.be.within(ms - 10_000, ms);
      };
      const first = await take(store);
      await near(TTL_MS + LEASE_MS);
      await store.extend(first, 500_000);
      await near(TTL_MS + 500_000);
      await store.markDone(first, "mailer");
      await near(TTL_MS + 500_000);
      await store.release(first);
      await near(TTL_MS);
      const second = await take(store);
      await near(TTL_MS + LEASE_MS);
      await store.complete(second);
      await near(TTL_MS);
    });

    it("are kept for ninety days by default", async () => {
      const own = newPrefix();
      const store = open({ prefix: own });
      await store.complete(await take(store));
      const days = (await left(`${own}:bus:evt_1`)) / (24 * 60 * 60 * 1000);
      expect(days).to.be.within(89.9, 90);
    });

    it("are gone from the server when their time is up", async () => {
      const own = newPrefix();
      const store = open({ prefix: own, ttlMs: 1 });
      await store.complete(await take(store));
      const giveUp = Date.now() + 8_000;
      while ((await raw.exists(`${own}:bus:evt_1`)) === 1) expect(Date.now()).to.be.below(giveUp);
      await take(store);
    });

    it("begin with the prefix, by which stores on one server are told apart", async () => {
      const [own, other] = [newPrefix(), newPrefix()];
      await take(open({ prefix: own }));
      await take(open({ prefix: other }));
      expect(await raw.exists(`${own}:bus:evt_1`, `${other}:bus:evt_1`)).to.equal(2);
    });

    it("begin with hookbus:idempotency by default", async () => {
      const key = `${prefix}:default`;
      const store = redisIdempotency({ client: raw, allowVolatile: true });
      await take(store, key);
      expect(await raw.exists(`hookbus:idempotency:${key}`)).to.equal(1);
    });

    it("hold no marks once the event was handled", async () => {
      const own = newPrefix();
      const store = open({ prefix: own });
      const token = await take(store);
      await store.markDone(token, "mailer");
      await store.complete(token);
      expect(await raw.hkeys(`${own}:bus:evt_1`)).to.have.members(["done", "print"]);
    });
  });

  describe("settings", () => {
    it("read the server's clock where none is given", async () => {
      const own = newPrefix();
      await take(open({ prefix: own }));
      const [seconds] = await raw.time();
      const end = Number(await raw.hget(`${own}:bus:evt_1`, "end"));
      expect(end - Number(seconds) * 1000).to.be.within(LEASE_MS - 10_000, LEASE_MS + 1_000);
    });

    it("leave the client open", async () => {
      await open().close();
      expect(await raw.ping()).to.equal("PONG");
    });

    it("have no transactions, which Redis could not hold the user's data in", () => {
      const store = open();
      expect(store).not.to.have.property("transaction");
      expect(store).not.to.have.property("markDoneWithin");
    });

    it("need a client of one of the two libraries, a prefix and whole milliseconds", () => {
      for (const client of [undefined, null, {}, "redis://127.0.0.1"]) {
        expect(() => open({ client: client as never })).to.throw(ConfigurationError, "`client`");
      }
      expect(() => open({ prefix: "" })).to.throw(ConfigurationError, "`prefix`");
      for (const value of [0, -1, 1.5, Number.NaN]) {
        expect(() => open({ timeoutMs: value })).to.throw(ConfigurationError, "`timeoutMs`");
        expect(() => open({ ttlMs: value })).to.throw(ConfigurationError, "`ttlMs`");
      }
    });
  });
});

/** What hookbus uses of a client, to be changed in part. */
function pick(client: IoredisClient): IoredisClient {
  return {
    evalsha: client.evalsha.bind(client),
    eval: client.eval.bind(client),
    info: client.info.bind(client),
    ping: client.ping.bind(client),
  };
}
