import { readFileSync } from "node:fs";
import { expect } from "chai";
import { EventBus } from "../../../src/event-bus.ts";
import type { Inbox } from "../../../src/inbox/inbox.ts";
import { github } from "../../../src/providers/github.ts";
import { anEvent, bytes, logOf, SECRET, type SpecBus, signed, stripeBus } from "../../receiver/harness.ts";
import { Log } from "../../support/bus.ts";
import { until } from "../scripted-bus.ts";
import { ENGINES } from "./engines.ts";
import { post, type Storage, shifted } from "./storage.ts";

const DAY_MS = 86_400_000;
const TABLES = [
  "hookbus_inbox",
  "hookbus_inbox_body",
  "hookbus_inbox_mark",
  "hookbus_inbox_attempt",
  "hookbus_inbox_audit",
];

for (const engine of ENGINES) {
  describe(`what an inbox on ${engine.name} keeps`, () => {
    let storage: Awaited<ReturnType<typeof engine.make>>;
    let inbox: Inbox;
    let called: string[];

    before(function () {
      return engine.need(this);
    });

    beforeEach(async () => {
      storage = await engine.make();
      inbox = storage.inbox();
      called = [];
    });

    afterEach(() => storage?.drop());

    const subscribed = (bus: SpecBus): SpecBus => {
      bus.inbox = inbox;
      bus.all((_event, { id }) => void called.push(id), { name: "ledger" });
      return bus;
    };
    const becomes = (key: string, state: string): Promise<void> =>
      until(async () => (await inbox.get(key))?.state === state);
    const count = async (table: string): Promise<number> => (await storage.query(`SELECT * FROM ${table}`)).length;

    describe("for a replay", () => {
      /** A delivery of a month ago, delivered then. */
      const delivered = async (): Promise<{ readonly key: string; readonly id: string }> => {
        const event = anEvent();
        const month = shifted(-30 * DAY_MS);
        const bus = subscribed(stripeBus({ clock: month }));
        expect((await post(bus, event, month.now())).outcome).to.equal("queued");
        const key = `stripe:${event.id}`;
        inbox.work(bus);
        await becomes(key, "done");
        await inbox.close();
        inbox = storage.inbox();
        return { key, id: event.id };
      };
      const replayed = async (key: string, bus: SpecBus, state: string): Promise<void> => {
        inbox.work(bus);
        await inbox.replay(key);
        await becomes(key, state);
      };

      it("verifies the stored bytes by the clock of their arrival, although the signature is stale by now", async () => {
        const { key, id } = await delivered();
        const bus = subscribed(stripeBus());
        const stored = await inbox.get(key);
        const stale = {
          method: "POST",
          url: "/",
          headers: stored?.request?.headers ?? {},
          body: stored?.body ?? bytes(""),
        };
        expect((await bus.receive(stale)).status).to.equal(401);
        inbox.work(bus);
        await inbox.replay(key);
        await until(() => called.length === 2);
        await becomes(key, "done");
        expect(called).to.deep.equal([id, id]);
      });

      it("delivers nothing of which a byte was changed in the database: it is dead, with the reason", async () => {
        const { key } = await delivered();
        await storage.query(
          engine.name === "SQLite"
            ? `UPDATE hookbus_inbox_body SET body = CAST(replace(CAST(body AS text), '100', '999') AS blob)`
            : `UPDATE hookbus_inbox_body SET body = convert_to(replace(convert_from(body, 'UTF8'), '100', '999'), 'UTF8')`,
        );
        await replayed(key, subscribed(stripeBus()), "dead");
        expect((await inbox.get(key))?.history.at(-1)?.failures[0]?.error).to.equal("bad_signature");
        expect(called).to.have.length(1);
      });

      it("delivers nothing whose secret the bus no longer has", async () => {
        const { key } = await delivered();
        const bus = subscribed(stripeBus());
        bus.signingSecrets = "whsec_AnotherSecretThanTheOneItWasSignedWith";
        await replayed(key, bus, "dead");
        expect((await inbox.get(key))?.history.at(-1)?.failures[0]?.error).to.equal("bad_signature");
        expect(called).to.have.length(1);
      });
    });

    describe("after the retention time", () => {
      it("is the key: bodies, requests, marks and attempts are gone", async () => {
        const event = anEvent();
        const bus = subscribed(stripeBus());
        let fails = true;
        bus.all(
          () => {
            if (!fails) return;
            fails = false;
            throw new Error("not yet");
          },
          { name: "mailer" },
        );
        inbox = storage.inbox({ backoff: { baseMs: 1, capMs: 1 }, random: () => 0 });
        await post(bus, event);
        inbox.work(bus);
        const key = `stripe:${event.id}`;
        await becomes(key, "done");
        expect(await count("hookbus_inbox_attempt")).to.equal(2);

        const later = storage.inbox({ clock: shifted(31 * DAY_MS) });
        expect(await storage.inbox({ clock: shifted(29 * DAY_MS) }).purge()).to.equal(0);
        expect(await later.purge()).to.equal(1);
        expect(await later.purge()).to.equal(0);
        for (const table of TABLES.slice(1)) expect(await count(table), table).to.equal(0);
        expect(await later.get(key)).to.deep.include({
          state: "done",
          purged: true,
          body: undefined,
          request: undefined,
        });
        expect(await later.replay(key)).to.deep.equal({ replayed: [], refused: [{ key, reason: "purged" }] });
        expect((await post(bus, event)).outcome).to.equal("duplicate");
      });

      it("is the key of a delivery without a timestamp, so that it cannot be played again, whatever its id", async () => {
        const bus = new EventBus(github());
        bus.logger = new Log();
        bus.signingSecrets = "a secret of GitHub's";
        bus.inbox = inbox;
        bus.all(({ id }) => void called.push(String(id)), { name: "ledger" });
        const body = bytes({ zen: "Keep it logically awesome.", hook_id: 1, hook: { type: "Repository" } });
        const deliver = (id: string) => {
          const headers = { ...github().sign(body, { secret: "a secret of GitHub's", now: Date.now() }) };
          return bus.receive({
            method: "POST",
            url: "/",
            headers: {
              ...headers,
              "content-type": "application/json",
              "x-github-event": "ping",
              "x-github-delivery": id,
            },
            body,
          });
        };
        expect((await deliver("first")).outcome).to.equal("queued");
        inbox.work(bus);
        await until(async () => (await inbox.counts()).done === 1);
        expect(await storage.inbox({ clock: shifted(365 * DAY_MS) }).purge()).to.equal(1);
        expect((await deliver("second")).outcome).to.equal("duplicate");
        expect(called).to.deep.equal(["first"]);
      });
    });

    describe("of a delivery's secrets", () => {
      const NOTE = "note-9f2c-of-a-customer";
      const PASSWORD = "Zm9vOmJhci1wYXNzd29yZA";
      const COOKIE = "session=4b1d-of-somebody";

      const deliver = async (): Promise<SpecBus> => {
        const bus = subscribed(stripeBus());
        bus.subscribe(
          "charge.",
          () => {
            throw new Error("the ledger is closed");
          },
          { name: "closed" },
        );
        const body = bytes(anEvent({ note: NOTE }));
        const headers = {
          ...signed(body),
          authorization: `Basic ${PASSWORD}`,
          cookie: COOKIE,
          "x-trace": "trace-77aa",
        };
        expect((await bus.receive({ method: "POST", url: "/stripe", headers, body })).outcome).to.equal("queued");
        await bus.receive({ method: "POST", url: "/stripe", headers, body });
        await bus.receive({ method: "POST", url: "/stripe", headers: { ...headers, "stripe-signature": "t=1" }, body });
        inbox.work(bus);
        await until(() => called.length === 1);
        await until(async () => (await count("hookbus_inbox_attempt")) === 1);
        return bus;
      };

      it("is in the database what the signature covers or is needed for, and no other field", async () => {
        await deliver();
        const all = await everything(storage);
        expect(all).to.contain(NOTE).and.contain("stripe-signature");
        for (const secret of [PASSWORD, COOKIE, "trace-77aa", SECRET]) expect(all).not.to.contain(secret);
      });

      it("is nothing in the log: no payload, no secret, no signature", async () => {
        const bus = await deliver();
        const log = JSON.stringify(logOf(bus));
        expect(logOf(bus)).not.to.have.length(0);
        const signature = String(signed(bytes("{}"))["stripe-signature"]).slice(0, 5);
        for (const secret of [NOTE, PASSWORD, COOKIE, SECRET, "v1=", signature]) expect(log).not.to.contain(secret);
      });
    });
  });
}

/** All that the database holds, as text. */
async function everything({ place, query }: Storage): Promise<string> {
  if (place.engine === "SQLite") {
    const files = ["", "-wal"].map((end) => readFileSync(`${place.path}${end}`));
    return Buffer.concat(files).toString("latin1");
  }
  const rows = await Promise.all(TABLES.map((table) => query(`SELECT t::text AS row FROM ${table} AS t`)));
  const bodies = await query("SELECT convert_from(body, 'UTF8') AS row FROM hookbus_inbox_body");
  return JSON.stringify([rows, bodies]);
}
