import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { Redis } from "ioredis";
import type { Inbox } from "../../src/inbox/inbox.ts";
import type { Recorded } from "../../src/inbox/record.ts";
import { redisInbox } from "../../src/inbox/redis.ts";
import { anEvent, bytes, type SpecBus, signed, stripeBus } from "../receiver/harness.ts";
import { childEnv } from "../support/child-env.ts";
import { needRedisServer, RedisServerProcess } from "../support/redis-server.ts";
import type { Task as RecorderTask } from "./children/redis-recorder.ts";
import { type Seam, type Task, TERMS } from "./children/redis-worker.ts";
import { aRecord, ScriptedBus, until } from "./scripted-bus.ts";

interface Kill {
  readonly seam: Seam;
  readonly title: string;
  /** What has been written by the time of the kill. */
  readonly before: readonly string[];
  /** Who is called after the kill. */
  readonly calledAgain: readonly string[];
  readonly history: readonly string[];
}

const BOTH = ["ledger", "mailer"];
const LOST = ["lost", "done"];

const KILLS: readonly Kill[] = [
  {
    seam: "given",
    title: "was given a job and has not begun: all are called",
    before: [],
    calledAgain: BOTH,
    history: ["done"],
  },
  {
    seam: "claimed",
    title: "has an event and has called nobody yet: all are called",
    before: [],
    calledAgain: BOTH,
    history: LOST,
  },
  {
    seam: "begun",
    title: "is in a subscriber that has written nothing yet: it is called again",
    before: [],
    calledAgain: BOTH,
    history: LOST,
  },
  {
    seam: "written",
    title: "is in a subscriber that has written: it writes again, for nobody can know",
    before: ["ledger"],
    calledAgain: BOTH,
    history: LOST,
  },
  {
    seam: "marked",
    title: "is in the second subscriber, and the first is marked: the second alone is called",
    before: ["ledger"],
    calledAgain: ["mailer"],
    history: LOST,
  },
  {
    seam: "ended",
    title: "has called all: nobody is called again",
    before: BOTH,
    calledAgain: [],
    history: ["done"],
  },
  {
    seam: "told",
    title: "has written that the event is done and has not told BullMQ: nobody is called again",
    before: BOTH,
    calledAgain: [],
    history: ["done"],
  },
];

describe("redisInbox among processes", function () {
  this.timeout(60_000);
  const inboxes: Inbox[] = [];
  const children: ChildProcess[] = [];
  let server: RedisServerProcess;
  let redis: Redis;

  before(async function () {
    needRedisServer(this);
    server = await RedisServerProcess.start();
    redis = new Redis(server.url);
  });

  after(async () => {
    redis?.disconnect();
    await server?.remove();
  });

  afterEach(async () => {
    for (const child of children.splice(0)) child.kill("SIGKILL");
    await Promise.all(inboxes.splice(0).map((inbox) => inbox.close({ graceMs: 0 })));
    await redis?.flushall();
  });

  const open = (): Inbox => {
    const inbox = redisInbox({ ...TERMS, connection: server.url });
    inboxes.push(inbox);
    return inbox;
  };
  const start = (script: string, task: object): ChildProcess => {
    const path = fileURLToPath(new URL(`./children/${script}.ts`, import.meta.url));
    const args = ["--import", "tsx", path, JSON.stringify(task)];
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"], env: childEnv() });
    children.push(child);
    return child;
  };
  const worker = (seam: Seam): ChildProcess => start("redis-worker", { url: server.url, seam } satisfies Task);
  /** A bus with an inbox of its own, and who of its subscribers was called. */
  const busWith = (...names: string[]): { bus: SpecBus; inbox: Inbox; called: string[] } => {
    const bus = stripeBus();
    const inbox = open();
    const called: string[] = [];
    bus.inbox = inbox;
    for (const name of names) bus.subscribe("charge.", () => void called.push(name), { name });
    return { bus, inbox, called };
  };
  const post = async (bus: SpecBus, event = anEvent()): Promise<string> => {
    const body = bytes(event);
    const receipt = await bus.receive({ method: "POST", url: "/stripe", headers: signed(body), body });
    expect(receipt.outcome).to.equal("queued");
    return `stripe:${event.id}`;
  };
  const ended = (inbox: Inbox, state: "done" | "dead", count = 1): Promise<void> =>
    until(async () => (await inbox.counts())[state] === count);

  for (const { seam, title, before: written, calledAgain, history } of KILLS) {
    it(`recovers from a worker that is killed while it ${title}`, async () => {
      const { bus, inbox, called } = busWith(...BOTH);
      const key = await post(bus);
      const child = worker(seam);
      expect(await firstLine(child)).to.equal(`at ${seam}`);
      await kill(child);
      expect(await redis.lrange("effects", 0, -1)).to.deep.equal(written);
      inbox.work(bus);
      await ended(inbox, "done");
      // BullMQ has been told, sooner or later.
      await until(async () => (await redis.zcard("hookbus-inbox:stripe:completed")) === 1);
      expect(called).to.deep.equal(calledAgain);
      const details = await inbox.get(key);
      expect(details?.history.map(({ outcome }) => outcome)).to.deep.equal(history);
      expect(details?.subscribers.map(({ subscriber, state }) => `${subscriber} ${state}`)).to.deep.equal([
        "ledger done",
        "mailer done",
      ]);
    });
  }

  it("counts an attempt at each of several events with which their worker was killed, and delivers them again", async () => {
    const { bus, inbox, called } = busWith("ledger");
    const keys = await Promise.all(Array.from({ length: 3 }, () => post(bus)));
    const child = worker("taken");
    expect(await firstLine(child)).to.equal("at taken");
    await kill(child);
    inbox.work(bus);
    await ended(inbox, "done", 3);
    expect(called).to.have.length(3);
    const histories = await Promise.all(keys.map(async (key) => (await inbox.get(key))?.history ?? []));
    const lost = histories.filter((history) => history.map(({ outcome }) => outcome).join() === "lost,done");
    expect(lost).to.have.length.above(1);
  });

  it("gives up an event that kills every process that delivers it", async () => {
    const { bus, inbox } = busWith(...BOTH);
    const key = await post(bus);
    for (let deaths = 0; deaths < TERMS.attempts; deaths += 1) {
      const [, signal] = await once(worker("poison"), "exit");
      expect(signal).to.equal("SIGKILL");
    }
    const last = worker("poison");
    await ended(inbox, "dead");
    expect(last.exitCode ?? last.signalCode).to.equal(null);
    const details = await inbox.get(key);
    expect(details?.history.map(({ outcome }) => outcome)).to.deep.equal(["lost", "lost", "dead"]);
    expect(details?.history.at(-1)?.failures[0]?.error).to.equal("lost");
    expect(details?.audit).to.deep.equal([]);
  });

  it("runs one of a hundred identical deliveries at once, from four processes", async () => {
    const { body, ...fields } = aRecord("shop");
    const record: RecorderTask["record"] = { ...fields, body: Buffer.from(body).toString() };
    const task: RecorderTask = { url: server.url, times: 25, record };
    const recorders = Array.from({ length: 4 }, () => start("redis-recorder", task));
    const lines = recorders.map((child) => linesOf(child));
    for (const each of lines) expect((await each.next()).value).to.equal("ready");
    const inbox = open();
    const bus = new ScriptedBus("shop");
    inbox.work(bus);
    for (const child of recorders) child.stdin?.write("go\n");
    const recorded: Recorded[] = [];
    for (const each of lines) recorded.push(...(JSON.parse((await each.next()).value as string) as Recorded[]));
    expect(recorded).to.have.length(100);
    expect(recorded.filter(({ state }) => state === "recorded")).to.have.length(1);
    for (const each of recorded) if (each.state === "duplicate") expect(each.fingerprint).to.equal(fields.fingerprint);
    await ended(inbox, "done");
    expect(bus.keys()).to.deep.equal([fields.key]);
  });

  it("lets an old and a new version work side by side, each with its own subscribers", async () => {
    const old = busWith("ledger", "audit");
    const fresh = busWith("ledger", "mailer");
    const keys = await Promise.all(Array.from({ length: 40 }, () => post(old.bus)));
    old.inbox.work(old.bus);
    fresh.inbox.work(fresh.bus);
    await ended(open(), "done", keys.length);
    const all = [...old.called, ...fresh.called];
    expect(all.filter((name) => name === "ledger")).to.have.length(keys.length);
    expect(all).to.have.length(2 * keys.length);
  });

  it("lets a new version finish what an old one began, without those who are done", async () => {
    const old = busWith("ledger");
    const stuck = (): Promise<void> => {
      old.called.push("mailer");
      return new Promise(() => {});
    };
    old.bus.subscribe("charge.", stuck, { name: "mailer" });
    const key = await post(old.bus);
    const working = old.inbox.work(old.bus);
    await until(() => old.called.includes("mailer"));
    await working.close({ graceMs: 0 });
    const fresh = busWith("audit", "ledger", "mailer");
    fresh.inbox.work(fresh.bus);
    await ended(fresh.inbox, "done");
    expect(fresh.called).to.deep.equal(["audit", "mailer"]);
    const outcomes = (await fresh.inbox.get(key))?.history.map(({ outcome }) => outcome);
    expect(outcomes).to.deep.equal(["given back", "done"]);
  });

  it("starts no further subscriber once another worker has the event", async () => {
    const { bus, inbox, called } = busWith();
    const key = await post(bus);
    bus.subscribe(
      "charge.",
      async () => {
        called.push("ledger");
        const [lock] = await redis.keys("hookbus-inbox:stripe:*:lock");
        await redis.set(lock as string, "another worker", "PX", 60_000);
      },
      { name: "ledger" },
    );
    bus.subscribe("charge.", () => void called.push("mailer"), { name: "mailer" });
    const working = inbox.work(bus);
    await until(() => called.length === 1);
    await working.close();
    expect(called).to.deep.equal(["ledger"]);
    const details = await inbox.get(key);
    expect(details?.state).to.equal("running");
    expect(details?.subscribers).to.deep.equal([]);
  });

  it("delivers ten thousand events that wait at the start", async () => {
    const inbox = open();
    const keys: string[] = [];
    for (let made = 0; made < 10_000; made += 100) {
      const records = Array.from({ length: 100 }, () => aRecord("shop"));
      await inbox.record(records);
      keys.push(...records.map(({ key }) => key));
    }
    const bus = new ScriptedBus("shop");
    inbox.work(bus, { concurrency: 25 });
    await ended(inbox, "done", 10_000);
    expect(bus.keys().toSorted()).to.deep.equal(keys.toSorted());
  });
});

function linesOf(child: ChildProcess): AsyncIterator<string> {
  return createInterface({ input: child.stdout as NonNullable<ChildProcess["stdout"]> })[Symbol.asyncIterator]();
}

/** What the process says first; rejects where it ends before. */
async function firstLine(child: ChildProcess): Promise<string> {
  const { value, done } = await linesOf(child).next();
  if (done) throw new Error("the process ended without a word");
  return value;
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}
