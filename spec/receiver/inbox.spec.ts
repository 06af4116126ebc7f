import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { request } from "node:http";
import { expect } from "chai";
import { ConfigurationError, StoreUnavailableError } from "../../src/errors.ts";
import { EventBus } from "../../src/event-bus.ts";
import type { Inbox } from "../../src/inbox/inbox.ts";
import { memoryInbox } from "../../src/inbox/memory.ts";
import type { NewRecord } from "../../src/inbox/record.ts";
import { github } from "../../src/providers/github.ts";
import { sendgrid } from "../../src/providers/sendgrid.ts";
import { createHub } from "../../src/receiver/hub.ts";
import { until } from "../inbox/scripted-bus.ts";
import { Log } from "../support/bus.ts";
import { StandIn } from "../support/standin.ts";
import {
  anEvent,
  bytes,
  Closing,
  deferred,
  fetchingStripeBus,
  logOf,
  RECEIVED,
  REFUSED,
  SECRET,
  type SpecBus,
  serve,
  signed,
  stepsOf,
  stripeBus,
  type Wire,
} from "./harness.ts";

/** An inbox whose `record` is the spec's affair. */
function inboxWith(record: Inbox["record"]): Inbox {
  const inbox = memoryInbox();
  inbox.record = record;
  return inbox;
}

describe("a bus with an inbox", () => {
  const closing = new Closing();
  let inbox: Inbox;
  let bus: SpecBus;
  let wire: Wire;

  beforeEach(async () => {
    inbox = memoryInbox({ backoff: { baseMs: 1, capMs: 1 } });
    bus = stripeBus();
    bus.inbox = inbox;
    wire = closing.add(await serve(bus));
  });

  afterEach(async () => {
    await closing.close();
    await inbox.close({ graceMs: 0 });
  });

  const ended = (state: "done" | "dead" | "ignored", count = 1) =>
    until(async () => (await inbox.counts())[state] === count);

  it("answers 200 for an event that is recorded, and delivers it afterwards", async () => {
    const seen: unknown[] = [];
    bus.all((event, context) => void seen.push([event.id, context.verifiedBy, context.matchedSecret]), { name: "it" });
    const steps = stepsOf(bus);
    const event = anEvent();
    expect(await wire.deliver(event)).to.include({ status: 200, body: RECEIVED });
    expect(seen).to.deep.equal([]);
    expect(steps.find(({ name }) => name === "hookbus.receive")).to.include({ outcome: "queued", id: event.id });
    inbox.work(bus);
    await ended("done");
    expect(seen).to.deep.equal([[event.id, "signature", "signingSecrets"]]);
    expect(steps.at(-1)).to.include({ name: "hookbus.attempt", outcome: "done", attempt: 1, id: event.id });
  });

  it("waits with the answer until the event is recorded", async () => {
    const { promise, resolve } = deferred();
    bus.inbox = inboxWith(async () => {
      await promise;
      return [{ state: "recorded" }];
    });
    let answered = false;
    const answer = wire.deliver(anEvent()).then((got) => {
      answered = true;
      return got;
    });
    await wire.post("{}", { method: "GET" });
    expect(answered).to.equal(false);
    resolve();
    expect(await answer).to.include({ status: 200 });
  });

  it("answers a duplicate with 200, runs it once, and tells when its data differ", async () => {
    let ran = 0;
    bus.all(() => void ran++, { name: "it" });
    const event = anEvent();
    const steps = stepsOf(bus, "hookbus.receive");
    inbox.work(bus);
    for (let times = 0; times < 3; times += 1) expect((await wire.deliver(event)).status).to.equal(200);
    await wire.deliver({ ...event, data: { object: { amount: 7 } } });
    await ended("done");
    expect(ran).to.equal(1);
    expect(steps.map(({ outcome }) => outcome)).to.deep.equal(["queued", "duplicate", "duplicate", "duplicate"]);
    expect(steps.map(({ conflict }) => conflict ?? false)).to.deep.equal([false, false, false, true]);
  });

  it("runs a hundred identical deliveries at once as one", async () => {
    let ran = 0;
    bus.all(() => void ran++, { name: "it" });
    inbox.work(bus);
    const event = anEvent();
    const answers = await Promise.all(Array.from({ length: 100 }, () => wire.deliver(event)));
    expect(answers.every(({ status }) => status === 200)).to.equal(true);
    await ended("done");
    expect(ran).to.equal(1);
  });

  for (const [fault, error] of [
    ["is down", new StoreUnavailableError("the inbox did not answer")],
    ["throws what nobody knows", new Error("disk full")],
  ] as const) {
    it(`acknowledges nothing, and asks for another try, where the inbox ${fault}`, async () => {
      bus.inbox = inboxWith(() => Promise.reject(error));
      const { status, headers, body } = await wire.deliver(anEvent());
      expect({ status, body }).to.deep.equal({ status: 503, body: REFUSED });
      expect(Number(headers["retry-after"])).to.be.greaterThan(0);
    });
  }

  it("answers 500 where the inbox cannot be used as it is set up", async () => {
    bus.inbox = inboxWith(() => Promise.reject(new ConfigurationError("it would lose what was acknowledged")));
    expect(await wire.deliver(anEvent())).to.include({ status: 500, body: REFUSED });
  });

  it("records nothing that is not genuine, or no event", async () => {
    const event = anEvent();
    const forged = signed(event, Date.now(), "whsec_somebody_elses");
    expect((await wire.post(event, { headers: forged })).status).to.equal(401);
    expect((await wire.deliver("[]")).status).to.equal(400);
    expect(await inbox.find()).to.deep.equal([]);
  });

  it("keeps the raw bytes, the time, the label, and of the headers what the signature needs", async () => {
    const body = Buffer.from(`${JSON.stringify(anEvent(), null, 2)}\n`);
    const now = Date.now();
    const signature = signed(body, now);
    const headers = {
      ...signature,
      authorization: "Bearer hush",
      cookie: "sid=hush",
      "user-agent": "Stripe/1.0",
    };
    await wire.post(body, { headers, path: "/?tenant=1" });
    const [found] = await inbox.find();
    const record = await inbox.get(found?.key ?? "");
    expect(record?.request).to.deep.equal({
      method: "POST",
      url: "/?tenant=1",
      headers: signature,
    });
    expect(Buffer.from(record?.body ?? []).equals(body)).to.equal(true);
    expect(record).to.include({ matchedSecret: "signingSecrets", verifiedBy: "signature" });
    expect(record?.receivedAt).to.be.within(now, Date.now());
  });

  it("fetches an unsigned event back before it records it, and records what came back", async () => {
    const standin = closing.add(await StandIn.start());
    const fetched = fetchingStripeBus({ name: "fetched", apiBase: standin.apiBase });
    fetched.inbox = inbox;
    const event = anEvent({ data: { object: { amount: 5 } } });
    standin.events.set(event.id, event);
    const other = closing.add(await serve(fetched));
    expect(await other.post({ id: event.id, data: "forged" })).to.include({ status: 200 });
    expect((await other.post({ id: "evt_unknown" })).status).to.equal(401);
    const seen: unknown[] = [];
    fetched.all((given, { verifiedBy }) => void seen.push([given, verifiedBy]), { name: "it" });
    inbox.work(fetched);
    await ended("done");
    expect(seen).to.deep.equal([[event, "retrieval"]]);
    const record = await inbox.get(`fetched:${event.id}`);
    expect(record?.request).to.equal(undefined);
    expect(Buffer.from(record?.body ?? []).toString()).not.to.include("forged");
  });

  it("runs only the subscribers that failed again, each by its name", async () => {
    const ran: string[] = [];
    for (const name of ["ledger", "mailer", "audit"]) {
      bus.all(
        () => {
          ran.push(name);
          if (name === "mailer" && ran.filter((each) => each === name).length === 1) throw new Error("no");
        },
        { name },
      );
    }
    inbox.work(bus);
    await wire.deliver(anEvent());
    await ended("done");
    expect(ran).to.deep.equal(["ledger", "mailer", "audit", "mailer"]);
  });

  it("records all the events of one delivery, and delivers each under its own id", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const mail = new EventBus(sendgrid(), { name: "mail" });
    mail.logger = new Log();
    mail.signingSecrets = publicKey.export({ type: "spki", format: "der" }).toString("base64");
    mail.inbox = inbox;
    const ids: string[] = [];
    mail.all((_event: unknown, { id }) => void ids.push(id), { name: "it" });
    const events = ["a", "b", "c"].map((id) => ({
      sg_event_id: id,
      event: "delivered",
      email: "x@example.com",
      timestamp: 1,
    }));
    const body = Buffer.from(JSON.stringify(events));
    const headers = mail.provider.sign(body, {
      secret: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    });
    expect((await mail.receive({ method: "POST", url: "/", headers, body })).outcome).to.equal("queued");
    expect((await mail.receive({ method: "POST", url: "/", headers, body })).outcome).to.equal("duplicate");
    inbox.work(mail);
    await ended("done", 3);
    expect(ids.sort()).to.deep.equal(["a", "b", "c"]);
  });

  it("uses up what a mount ignores where no signature covers its type, and records nothing where one does", async () => {
    const hub = new EventBus(github(), { name: "hub" });
    hub.logger = new Log();
    hub.signingSecrets = "secret of the hub";
    hub.inbox = inbox;
    const body = Buffer.from(JSON.stringify({ zen: "Keep it logically awesome.", hook_id: 1, hook: {} }));
    const headers = {
      ...hub.provider.sign(body, { secret: "secret of the hub" }),
      "x-github-event": "ping",
      "x-github-delivery": "d-1",
    };
    const head = { method: "POST", url: "/", headers };
    const receipt = await hub.respond(head, async () => body, { types: ["push"] });
    expect(receipt.outcome).to.equal("ignored");
    expect((await hub.respond(head, async () => body)).outcome).to.equal("duplicate");
    const event = anEvent();
    await bus.respond({ method: "POST", url: "/", headers: signed(event) }, async () => bytes(event), {
      types: ["payout."],
    });
    expect((await inbox.counts()).ignored).to.equal(1);
  });

  it("lets the filter and the retriever ignore an event in the worker", async () => {
    bus.eventFilter = () => null;
    inbox.work(bus);
    await wire.deliver(anEvent());
    await ended("ignored");
  });

  it("gives the deliveries of one customer to the worker as one lane", async () => {
    const records: NewRecord[] = [];
    const lanes = memoryInbox({ orderBy: (event: { customer?: string }) => event.customer });
    lanes.record = async (given) => {
      records.push(...given);
      return given.map(() => ({ state: "recorded" }));
    };
    bus.inbox = lanes;
    await wire.deliver(anEvent({ customer: "cus_1" }));
    await wire.deliver(anEvent());
    expect(records.map(({ lane }) => lane)).to.deep.equal(["cus_1", undefined]);
  });

  it("is up while its inbox answers", async () => {
    const hub = createHub([bus]);
    const health = async () =>
      (await hub.respond({ method: "GET", url: "/health", headers: {} }, async () => Buffer.alloc(0)))?.status;
    expect(await health()).to.equal(200);
    inbox.ping = () => Promise.reject(new Error("down"));
    expect(await health()).to.equal(503);
  });

  it("opens its inbox just after boot, in a hub too", async () => {
    let pings = 0;
    inbox.ping = async () => {
      pings += 1;
    };
    await bus.open();
    await createHub([bus, stripeBus({ name: "without" })]).open?.();
    expect(pings).to.equal(2);
  });

  it("needs subscribers that are named, each by a name of its own", async () => {
    bus.all(() => {});
    expect(() => bus.assertReady()).to.throw(ConfigurationError, "needs a `name` of its own");
    expect((await wire.deliver(anEvent())).status).to.equal(500);
    bus.all(() => {}, { name: "it" });
    expect(() => bus.all(() => {}, { name: "it" })).to.throw(ConfigurationError, '"it" exists already');
  });

  it("takes no subscriber by `once`, before or after the inbox is set", () => {
    expect(() => bus.once("charge.", () => {}, { name: "it" })).to.throw(ConfigurationError, "`inbox`");
    const other = stripeBus({ name: "other" });
    other.once("charge.", () => {}, { name: "it" });
    expect(() => {
      other.inbox = inbox;
    }).to.throw(ConfigurationError, "`once`");
    expect(() => other.assertReady()).to.throw(ConfigurationError, "`once`");
  });

  it("shares no inbox with another bus of its name", () => {
    const other = stripeBus();
    expect(() => {
      other.inbox = inbox;
    }).to.throw(ConfigurationError, 'another bus named "stripe" uses this `inbox`');
  });

  for (const value of [undefined, null, {}, { record() {} }]) {
    it(`refuses ${JSON.stringify(value) ?? "undefined"} for an inbox`, () => {
      expect(() => {
        bus.inbox = value as never;
      }).to.throw(ConfigurationError, "`inbox");
    });
  }

  it("tells the operator of failures and of what is given up, and quotes nothing", async () => {
    const told: unknown[] = [];
    bus.onError = (error, delivery) => void told.push([(error as Error).name, delivery.type]);
    bus.all(
      () => {
        throw new Error(`card 4242 ${SECRET}`);
      },
      { name: "ledger" },
    );
    const few = memoryInbox({ attempts: 2, backoff: { baseMs: 1, capMs: 1 } });
    bus.inbox = few;
    few.work(bus, { pollMs: 5 });
    await wire.deliver(anEvent());
    await until(async () => (await few.counts()).dead === 1);
    await few.close();
    const messages = logOf(bus).map(({ message }) => message);
    expect(messages.filter((message) => message.includes("given up"))).to.have.length(1);
    expect(messages.filter((message) => message.includes('subscriber "ledger" failed'))).to.have.length(2);
    expect(JSON.stringify(logOf(bus))).not.to.match(/4242|whsec_/);
    expect(told).to.deep.equal([
      ["DispatchError", "charge.succeeded"],
      ["DispatchError", "charge.succeeded"],
    ]);
  });

  it("tells the operator, not more than once in a while, of trouble that keeps a worker from its work", () => {
    for (let times = 0; times < 5; times += 1) bus.troubled(new StoreUnavailableError("no answer"));
    const lines = logOf(bus).filter(({ message }) => message.includes("the inbox does not work"));
    expect(lines).to.have.length(1);
    expect(lines[0]?.fields).to.include({ reason: "HOOKBUS_STORE_UNAVAILABLE" });
  });

  it("gives up a delivery whose client has gone before its body had arrived", async () => {
    const outgoing = request({
      host: "127.0.0.1",
      port: wire.port,
      method: "POST",
      headers: { "content-length": 100 },
    });
    outgoing.on("error", () => undefined);
    outgoing.write("{");
    await once(outgoing, "socket");
    outgoing.destroy();
    await wire.deliver(anEvent());
    expect(await inbox.find()).to.have.length(1);
  });
});
