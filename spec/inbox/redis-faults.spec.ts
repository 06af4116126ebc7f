import { inspect } from "node:util";
import { expect } from "chai";
import { Redis } from "ioredis";
import { ConfigurationError, StaleTokenError, StoreUnavailableError } from "../../src/errors.ts";
import type { Inbox, Run } from "../../src/inbox/inbox.ts";
import type { NewRecord } from "../../src/inbox/record.ts";
import { jobIdOf } from "../../src/inbox/redis/keys.ts";
import { type RedisInboxOptions, redisInbox } from "../../src/inbox/redis.ts";
import { needRedisServer, RedisServerProcess } from "../support/redis-server.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import { aRecord, DONE, ScriptedBus, until } from "./scripted-bus.ts";

describe("redisInbox when its server fails", function () {
  this.timeout(60_000);
  const opened: Inbox[] = [];
  const closing: (() => unknown)[] = [];
  let server: RedisServerProcess;

  before(function () {
    needRedisServer(this);
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((inbox) => inbox.close({ graceMs: 0 })));
    for (const close of closing.splice(0)) await close();
    await server?.remove();
  });

  const open = (options: Partial<RedisInboxOptions> = {}): Inbox => {
    const inbox = redisInbox({ connection: server.url, leaseMs: 20_000, ...options });
    opened.push(inbox);
    return inbox;
  };
  const failure = (call: Promise<unknown>): Promise<unknown> =>
    call.then(
      () => undefined,
      (error: unknown) => error,
    );
  /** Fails with `StoreUnavailableError`, in less than a provider waits for its answer. */
  const unavailable = async (call: Promise<unknown>): Promise<Error> => {
    const from = performance.now();
    const error = await failure(call);
    expect(error).to.be.instanceOf(StoreUnavailableError);
    expect(performance.now() - from).to.be.lessThan(7_000);
    return error as Error;
  };
  const recorded = async (inbox: Inbox, record: NewRecord): Promise<string | undefined> =>
    (await inbox.record([record]))[0]?.state;
  /** As a provider does: delivers again until it is acknowledged. */
  const delivered = async (inbox: Inbox, record: NewRecord): Promise<void> => {
    await until(async () => (await failure(inbox.record([record]))) === undefined);
  };

  it("loses nothing that was acknowledged, though the server is killed right after", async () => {
    server = await RedisServerProcess.start();
    const inbox = open();
    await inbox.ping();
    const acknowledged: string[] = [];
    const sent: NewRecord[] = [];
    let up = true;
    const sender = async (): Promise<void> => {
      while (up) {
        const record = aRecord("shop");
        sent.push(record);
        if ((await failure(inbox.record([record]))) === undefined) acknowledged.push(record.key);
      }
    };
    const all = Array.from({ length: 8 }, sender);
    await until(() => acknowledged.length > 40);
    up = false;
    await server.kill();
    await server.start();
    await Promise.all(all);
    for (const key of acknowledged) expect(await inbox.get(key), key).to.include({ state: "pending" });
    for (const record of sent) await delivered(inbox, record);
    const bus = new ScriptedBus("shop");
    inbox.work(bus);
    await until(async () => (await inbox.counts()).done === sent.length);
    expect(bus.keys().toSorted()).to.deep.equal(sent.map(({ key }) => key).toSorted());
  });

  it("refuses deliveries while the server is down at the start, and takes them once it is up", async () => {
    server = await RedisServerProcess.down();
    const inbox = open();
    const bus = new ScriptedBus("shop");
    inbox.work(bus);
    const one = aRecord("shop");
    const error = await unavailable(inbox.record([one]));
    expect((error.cause as Error).message).to.include("ECONNREFUSED");
    await until(() => bus.troubles.length > 0);
    expect(bus.troubles[0]).to.be.instanceOf(StoreUnavailableError);
    await server.start();
    await delivered(inbox, one);
    await until(() => bus.deliveries.length === 1);
    // Dozens of attempts to connect, and told but once.
    expect(bus.troubles).to.have.length(1);
  });

  it("refuses deliveries while the server is down in the middle, and goes on by itself once it is up", async () => {
    server = await RedisServerProcess.start();
    const inbox = open();
    const bus = new ScriptedBus("shop");
    inbox.work(bus);
    await delivered(inbox, aRecord("shop"));
    await until(() => bus.deliveries.length === 1);
    await server.kill();
    await unavailable(inbox.record([aRecord("shop")]));
    await until(() => bus.troubles.length > 0);
    await server.start();
    await delivered(inbox, aRecord("shop"));
    await until(() => bus.deliveries.length === 2);
  });

  it("writes how an attempt ended though the server was away meanwhile, and delivers nothing twice", async () => {
    server = await RedisServerProcess.start();
    const inbox = open();
    const one = aRecord("shop");
    await delivered(inbox, one);
    let restarted: Promise<void> | undefined;
    const bus = new ScriptedBus("shop", async (_, run) => {
      await server.kill();
      restarted = new Promise((resolve) => setImmediate(resolve)).then(() => server.start());
      await run.markDone("ledger", false);
      expect(run.halt).to.equal(undefined);
      return DONE;
    });
    inbox.work(bus);
    await until(() => bus.deliveries.length === 1);
    await until(async () => (await failure(inbox.counts())) === undefined && (await inbox.counts()).done === 1);
    await restarted;
    expect(bus.deliveries).to.have.length(1);
    expect((await inbox.get(one.key))?.subscribers.map(({ subscriber }) => subscriber)).to.deep.equal(["ledger"]);
  });

  it("writes with the end of an attempt the marks that did not get through", async () => {
    server = await RedisServerProcess.start();
    const proxy = await TcpProxy.start(server.url);
    closing.push(() => proxy.close());
    const redis = new Redis(server.url);
    closing.push(() => redis.disconnect());
    const inbox = open({ connection: proxy.through(server.url) });
    const one = aRecord("shop");
    await inbox.record([one]);
    const bus = new ScriptedBus("shop", async (_, run) => {
      const cut = proxy.loseReply();
      await run.markDone("ledger", true);
      await cut;
      // As if it had not even got there.
      await redis.hdel(`hookbus-inbox:shop:${jobIdOf(one.key)}`, "h:m:ledger");
      return { outcome: "dead", failures: [] };
    });
    inbox.work(bus);
    const direct = open();
    await until(async () => (await direct.get(one.key))?.state === "dead");
    expect((await direct.get(one.key))?.subscribers.map(({ state }) => state)).to.deep.equal(["rejected"]);
  });

  it("halts a run whose lease has run out while the server was away", async () => {
    server = await RedisServerProcess.start();
    const inbox = open({ leaseMs: 600 });
    const one = aRecord("shop");
    await delivered(inbox, one);
    let first: Run | undefined;
    const bus = new ScriptedBus("shop", async (record, run) => {
      if (record.attempt > 1) return DONE;
      first = run;
      await server.kill();
      await until(() => run.halt !== undefined);
      await server.start();
      return { outcome: "failed", failures: [] };
    });
    inbox.work(bus);
    await until(async () => (await failure(inbox.get(one.key))) === undefined && bus.deliveries.length === 2);
    expect(first?.halt).to.be.instanceOf(StaleTokenError);
    await until(async () => (await inbox.get(one.key))?.state === "done");
    expect((await inbox.get(one.key))?.history.map(({ outcome }) => outcome)).to.deep.equal(["lost", "done"]);
  });

  it("takes a delivery for a duplicate whose answer was lost on the way", async () => {
    server = await RedisServerProcess.start();
    const proxy = await TcpProxy.start(server.url);
    closing.push(() => proxy.close());
    const inbox = open({ connection: proxy.through(server.url) });
    await inbox.record([aRecord("shop")]);
    const one = aRecord("shop");
    const cut = proxy.loseReply();
    await unavailable(inbox.record([one]));
    await cut;
    expect(await recorded(inbox, one)).to.equal("duplicate");
    const bus = new ScriptedBus("shop");
    inbox.work(bus);
    await until(async () => (await inbox.counts()).done === 2);
    expect(bus.keys().filter((key) => key === one.key)).to.have.length(1);
  });

  it("answers in time though the server answers nothing, and goes on once it does", async () => {
    server = await RedisServerProcess.start();
    const proxy = await TcpProxy.start(server.url);
    closing.push(() => proxy.close());
    const inbox = open({ connection: proxy.through(server.url) });
    await inbox.record([aRecord("shop")]);
    const one = aRecord("shop");
    proxy.stall();
    await unavailable(inbox.record([one]));
    proxy.resume();
    await delivered(inbox, one);
    const bus = new ScriptedBus("shop");
    inbox.work(bus);
    await until(() => bus.deliveries.length === 2);
  });

  it("goes on delivering after its connections were cut, time and again", async () => {
    server = await RedisServerProcess.start();
    const proxy = await TcpProxy.start(server.url);
    closing.push(() => proxy.close());
    const inbox = open({ connection: proxy.through(server.url), leaseMs: 1_000 });
    const direct = open();
    const bus = new ScriptedBus("shop", async () => {
      if (bus.deliveries.length % 10 === 5) proxy.cut();
      return DONE;
    });
    inbox.work(bus);
    const sent = Array.from({ length: 40 }, () => aRecord("shop"));
    for (const record of sent) await delivered(inbox, record);
    await until(async () => (await direct.counts()).done === sent.length);
    expect(new Set(bus.keys()).size).to.equal(sent.length);
  });

  it("records all of a delivery or nothing where the server's memory is full", async () => {
    server = await RedisServerProcess.start();
    const inbox = open();
    await inbox.ping();
    const redis = new Redis(server.url);
    closing.push(() => redis.disconnect());
    await redis.config("SET", "maxmemory", "1mb");
    const records = Array.from({ length: 20 }, () => aRecord("shop"));
    const error = await unavailable(inbox.record(records));
    expect((error.cause as Error).message).to.include("OOM");
    await redis.config("SET", "maxmemory", "0");
    expect(await inbox.find()).to.deep.equal([]);
    expect((await inbox.record(records)).every(({ state }) => state === "recorded")).to.equal(true);
  });

  it("tells no body, no signature and no password in what it fails with", async () => {
    server = await RedisServerProcess.start();
    const proxy = await TcpProxy.start(server.url);
    closing.push(() => proxy.close());
    const url = new URL(proxy.through(server.url));
    url.password = "s3cret-password";
    const redis = new Redis(server.url);
    closing.push(() => redis.disconnect());
    await redis.call("ACL", "SETUSER", "default", ">s3cret-password");
    const inbox = open({ connection: url.href });
    const bus = new ScriptedBus("shop");
    const secretOne = () =>
      aRecord("shop", {
        body: Buffer.from("4242-body"),
        request: { method: "POST", url: "/", headers: { "stripe-signature": "v1=5ignature" } },
      });
    await inbox.record([aRecord("shop")]);
    const cut = proxy.loseReply();
    const errors = [await failure(inbox.record([secretOne()]))];
    await cut;
    inbox.work(bus);
    await redis.config("SET", "maxmemory", "1mb");
    await until(async () => (await failure(inbox.ping())) === undefined);
    errors.push(await failure(inbox.record([secretOne()])));
    await proxy.down();
    errors.push(await failure(inbox.record([secretOne()])));
    expect(errors).not.to.include(undefined);
    await until(() => bus.troubles.length > 0);
    const told = inspect([errors, bus.troubles], { depth: 20, showHidden: true });
    expect(told).to.include("OOM");
    const secrets = ["4242-body", Buffer.from("4242-body").toString("base64"), "5ignature", "s3cret-password"];
    for (const secret of secrets) expect(told).not.to.include(secret);
  });

  it("closes soon though the server is away", async () => {
    server = await RedisServerProcess.start();
    const inbox = open();
    const bus = new ScriptedBus("shop", async (_, run) => {
      await server.kill();
      await until(() => run.halt !== undefined);
      return { outcome: "failed", failures: [] };
    });
    inbox.work(bus);
    await delivered(inbox, aRecord("shop"));
    await until(() => bus.running === 1);
    const from = performance.now();
    await inbox.close({ graceMs: 100 });
    expect(performance.now() - from).to.be.lessThan(12_000);
  });

  describe("where it could lose what was acknowledged", () => {
    let redis: Redis;

    beforeEach(async () => {
      server = await RedisServerProcess.start();
      redis = new Redis(server.url);
      closing.push(() => redis.disconnect());
    });

    const CASES: readonly (readonly [setting: string, value: string, right: string, says: string])[] = [
      ["appendonly", "no", "yes", "appendonly yes"],
      ["appendfsync", "everysec", "always", "last second"],
      ["appendfsync", "no", "always", "appendfsync always"],
      ["maxmemory-policy", "allkeys-lru", "noeviction", "maxmemory-policy noeviction"],
    ];
    for (const [setting, value, right, says] of CASES) {
      it(`refuses \`${setting} ${value}\`, until it is set right`, async () => {
        await redis.config("SET", setting, value);
        const inbox = open();
        const bus = new ScriptedBus("shop");
        inbox.work(bus);
        const one = aRecord("shop");
        const error = await failure(inbox.record([one]));
        expect(error).to.be.instanceOf(ConfigurationError);
        expect((error as Error).message)
          .to.include(says)
          .and.to.include("allowVolatile");
        await until(() => bus.troubles.length > 0);
        expect(bus.troubles[0]).to.be.instanceOf(ConfigurationError);
        expect(await recorded(open({ allowVolatile: true }), one)).to.equal("recorded");
        expect(bus.deliveries).to.deep.equal([]);
        await redis.config("SET", setting, right);
        await until(() => bus.deliveries.length === 1);
      });
    }

    it("refuses a server that does not let itself be asked", async () => {
      await redis.call("ACL", "SETUSER", "shop", "on", "nopass", "~*", "&*", "+@all", "-config");
      const options = { host: "127.0.0.1", port: server.port, username: "shop", password: "any" };
      const error = await failure(open({ connection: options }).ping());
      expect(error).to.be.instanceOf(ConfigurationError);
      expect((error as Error).message).to.include("CONFIG GET appendfsync");
      await open({ connection: options, allowVolatile: true }).ping();
      await redis.call("ACL", "SETUSER", "shop", "-info");
      const without = await failure(open({ connection: options, allowVolatile: true }).ping());
      expect(without).to.be.instanceOf(ConfigurationError);
      expect((without as Error).message).to.include("INFO");
    });

    it("asks again after a reconnection: it may be another server", async () => {
      const inbox = open();
      await inbox.ping();
      await redis.config("SET", "appendfsync", "everysec");
      await inbox.ping();
      await redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      await until(async () => (await failure(inbox.ping())) instanceof ConfigurationError);
    });
  });
});
