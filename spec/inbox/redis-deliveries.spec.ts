import { expect } from "chai";
import { Redis } from "ioredis";
import { ConfigurationError } from "../../src/errors.ts";
import { EventBus } from "../../src/event-bus.ts";
import type { Inbox } from "../../src/inbox/inbox.ts";
import { type RedisInboxOptions, redisInbox } from "../../src/inbox/redis.ts";
import { github } from "../../src/providers/github.ts";
import { anEvent, bytes, stripeBus } from "../receiver/harness.ts";
import { Log } from "../support/bus.ts";
import { needRedisServer, RedisServerProcess } from "../support/redis-server.ts";
import { post, shifted } from "./faults/storage.ts";
import { until } from "./scripted-bus.ts";

const YEAR_MS = 365 * 86_400_000;

describe("a delivery out of an inbox on Redis", function () {
  this.timeout(30_000);
  const opened: Inbox[] = [];
  let server: RedisServerProcess;
  let redis: Redis;

  before(async function () {
    needRedisServer(this);
    server = await RedisServerProcess.start();
    redis = new Redis(server.url);
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((inbox) => inbox.close({ graceMs: 0 })));
    await redis.flushall();
  });

  after(async () => {
    redis?.disconnect();
    await server?.remove();
  });

  const open = (options: Partial<RedisInboxOptions> = {}): Inbox => {
    const inbox = redisInbox({ connection: server.url, ...options });
    opened.push(inbox);
    return inbox;
  };

  it("holds all of a body of maxBodyBytes; of a larger one nothing is kept", async () => {
    const bus = stripeBus();
    const inbox = open();
    const seen: unknown[] = [];
    bus.inbox = inbox;
    bus.all((event) => void seen.push(event), { name: "all" });
    const small = anEvent({ note: "" });
    const event = { ...small, note: "x".repeat(bus.maxBodyBytes - bytes(small).byteLength) };
    expect(bytes(event).byteLength).to.equal(bus.maxBodyBytes);
    expect((await post(bus, event)).outcome).to.equal("queued");
    inbox.work(bus);
    await until(async () => (await inbox.counts()).done === 1);
    expect(seen).to.deep.equal([event]);
    expect((await post(bus, { ...event, id: `${event.id}x` })).status).not.to.equal(200);
    expect(await inbox.find()).to.have.length(1);
  });

  it("without a timestamp cannot be played again after its body was purged, whatever its id", async () => {
    const secret = "a secret of GitHub's";
    const bus = new EventBus(github());
    const inbox = open();
    const called: string[] = [];
    bus.logger = new Log();
    bus.signingSecrets = secret;
    bus.inbox = inbox;
    bus.all(({ id }) => void called.push(String(id)), { name: "ledger" });
    const body = bytes({ zen: "Keep it logically awesome.", hook_id: 1, hook: { type: "Repository" } });
    const signature = github().sign(body, { secret, now: Date.now() });
    const deliver = (id: string) =>
      bus.receive({
        method: "POST",
        url: "/",
        headers: {
          ...signature,
          "content-type": "application/json",
          "x-github-event": "ping",
          "x-github-delivery": id,
        },
        body,
      });
    expect((await deliver("first")).outcome).to.equal("queued");
    inbox.work(bus);
    await until(async () => (await inbox.counts()).done === 1);
    expect(await open({ clock: shifted(YEAR_MS) }).purge()).to.equal(1);
    expect((await deliver("second")).outcome).to.equal("duplicate");
    expect(called).to.deep.equal(["first"]);
  });

  it("is refused while a subscriber has no name, and no name is given twice", async () => {
    const bus = stripeBus();
    bus.inbox = open();
    const dispose = bus.all(() => undefined);
    expect(() => bus.assertReady()).to.throw(ConfigurationError, /name/);
    expect((await post(bus, anEvent())).status).to.equal(500);
    dispose();
    bus.all(() => undefined, { name: "ledger" });
    expect(() => bus.all(() => undefined, { name: "ledger" })).to.throw(ConfigurationError, /exists already/);
    expect((await post(bus, anEvent())).outcome).to.equal("queued");
  });
});
