import { expect } from "chai";
import { ConfigurationError } from "../../src/errors.ts";
import { memoryIdempotency } from "../../src/idempotency/memory.ts";
import type { IdempotencyStore } from "../../src/idempotency/store.ts";
import { createHub, type HubBus } from "../../src/receiver/hub.ts";
import { pathOf } from "../../src/receiver/path.ts";
import { plainEventBus } from "../support/bus.ts";
import { FakeClock } from "../support/clock.ts";
import { StandIn } from "../support/standin.ts";
import {
  anEvent,
  bareConektaBus,
  Closing,
  fetchingConektaBus,
  idsOf,
  logOf,
  RECEIVED,
  REFUSED,
  SECRET,
  serve,
  signed,
  stripeBus,
} from "./harness.ts";

const UP = '{"status":"up"}';
const DOWN = '{"status":"down"}';

describe("createHub", () => {
  const closing = new Closing();
  afterEach(() => closing.close());

  it("serves each bus under its name, and nobody else", async () => {
    const api = closing.add(await StandIn.start());
    const [one, two] = [stripeBus(), fetchingConektaBus({ apiBase: api.apiBase })];
    const ids = [idsOf(one), idsOf(two)];
    const hub = createHub([one, two]);
    expect(hub.paths).to.deep.equal({ stripe: "/stripe", conekta: "/conekta" });
    const wire = closing.add(await serve(hub));
    const [charge, order] = [anEvent(), anEvent()];
    api.events.set(order.id, order);
    const headers = signed(charge);
    expect(await wire.post(charge, { path: "/stripe", headers })).to.deep.include({ status: 200, body: RECEIVED });
    expect(await wire.post(order, { path: "/conekta?x=/stripe" })).to.deep.include({ status: 200, body: RECEIVED });
    expect(await wire.post(charge, { path: "/conekta", headers })).to.include({ status: 401 });
    expect(ids).to.deep.equal([[charge.id], [order.id]]);

    for (const path of ["/", "/stripe/", "/stripe/x", "//stripe", "/Stripe", "/str", "/constructor", "/?/stripe"]) {
      expect(await wire.post(charge, { path, headers }), path).to.deep.include({ status: 404, body: REFUSED });
    }
    expect(await wire.post("", { path: "/stripe", method: "GET" })).to.include({ status: 405 });
    expect(ids).to.deep.equal([[charge.id], [order.id]]);
  });

  it("takes a prefix, which stands before the health check too", async () => {
    const bus = stripeBus({ name: "stripe-mx" });
    const hub = createHub([bus], { prefix: "/webhooks/v1.2" });
    expect(hub.paths).to.deep.equal({ "stripe-mx": "/webhooks/v1.2/stripe-mx" });
    const wire = closing.add(await serve(hub));
    const event = anEvent();
    const headers = signed(event);
    expect(await wire.post(event, { path: "/webhooks/v1.2/stripe-mx", headers })).to.include({ status: 200 });
    expect(await wire.post(event, { path: "/stripe-mx", headers })).to.include({ status: 404 });
    expect(await wire.post("", { path: "/webhooks/v1.2/health", method: "GET" })).to.include({ status: 200 });
    expect(await wire.post("", { path: "/health", method: "GET" })).to.include({ status: 404 });
  });

  it("goes by the path within a mount point, where a framework knows one", async () => {
    const bus = stripeBus();
    const hub = createHub([bus]);
    const unread = (): never => {
      throw new Error("read");
    };
    const head = { method: "GET", url: "/hooks/stripe", headers: {} };
    expect(await hub.respond(head, unread)).to.equal(undefined);
    expect(await hub.respond({ ...head, path: "/stripe" }, unread)).to.include({ status: 405 });
    expect(await hub.respond({ ...head, url: "/stripe", path: "/other" }, unread)).to.equal(undefined);
    expect(await hub.respond({ ...head, path: "/health" }, unread)).to.include({ status: 200 });
  });

  it("serves two buses of one provider", async () => {
    const [one, two] = [stripeBus(), stripeBus({ name: "stripe-mx" })];
    const ids = [idsOf(one), idsOf(two)];
    const wire = closing.add(await serve(createHub([one, two])));
    const event = anEvent();
    for (const path of ["/stripe", "/stripe-mx"]) {
      expect(await wire.post(event, { path, headers: signed(event) })).to.include({ status: 200 });
    }
    expect(ids).to.deep.equal([[event.id], [event.id]]);
  });

  describe("health", () => {
    const healthOf = async (buses: readonly HubBus[], method = "GET"): Promise<[number, string]> => {
      const wire = closing.add(await serve(createHub(buses)));
      const { status, headers, body } = await wire.post("", { path: "/health", method });
      if (status !== 405) {
        expect([headers["content-type"], headers["cache-control"]]).to.deep.equal(["application/json", "no-store"]);
      }
      return [status, body];
    };
    const storing = (ping?: IdempotencyStore["ping"]): ReturnType<typeof stripeBus> => {
      const bus = stripeBus({ name: "storing" });
      const store = memoryIdempotency();
      bus.idempotency = {
        volatile: true,
        claim: store.claim.bind(store),
        extend: store.extend.bind(store),
        markDone: store.markDone.bind(store),
        complete: store.complete.bind(store),
        release: store.release.bind(store),
        ...(ping && { ping }),
      };
      return bus;
    };

    it("is up, and says nothing else", async () => {
      expect(await healthOf([stripeBus(), fetchingConektaBus()])).to.deep.equal([200, UP]);
      expect(await healthOf([stripeBus()], "HEAD")).to.deep.equal([200, ""]);
      let pinged = 0;
      const pinging = storing(async () => {
        pinged += 1;
      });
      expect(await healthOf([pinging])).to.deep.equal([200, UP]);
      expect(pinged).to.equal(1);
      expect(await healthOf([storing()])).to.deep.equal([200, UP]);
      const without = stripeBus();
      without.idempotency = false;
      expect(await healthOf([without])).to.deep.equal([200, UP]);
    });

    it("is down when a bus is not ready", async () => {
      expect(await healthOf([stripeBus(), bareConektaBus()])).to.deep.equal([503, DOWN]);
      expect(await healthOf([bareConektaBus()], "HEAD")).to.deep.equal([503, ""]);
      const refused = stripeBus();
      expect(() => {
        refused.tolerance = -1;
      }).to.throw();
      expect(await healthOf([refused])).to.deep.equal([503, DOWN]);
    });

    it("is down once every secret has expired, as every delivery is a 500 then", async () => {
      const clock = new FakeClock();
      const bus = stripeBus({ clock });
      bus.signingSecrets = { label: "old", secret: SECRET, notAfter: clock.now() + 1_000 };
      expect((await healthOf([bus]))[0]).to.equal(200);
      await clock.advance(1_001);
      expect(await healthOf([bus])).to.deep.equal([503, DOWN]);
    });

    it("is down when a store does not answer", async () => {
      expect(await healthOf([stripeBus(), storing(() => Promise.reject(new Error("ECONNREFUSED")))])).to.deep.equal([
        503,
        DOWN,
      ]);
      const throwing = storing(() => {
        throw new Error("ECONNREFUSED");
      });
      expect(await healthOf([throwing])).to.deep.equal([503, DOWN]);
    });

    it("has an outcome that tells the two apart", async () => {
      const unread = (): never => {
        throw new Error("read");
      };
      const head = { method: "GET", url: "/health", headers: {} };
      expect(await createHub([stripeBus()]).respond(head, unread)).to.include({ outcome: "handled" });
      expect(await createHub([bareConektaBus()]).respond(head, unread)).to.include({ outcome: "failed" });
      const posted = await createHub([stripeBus()]).respond({ ...head, method: "POST" }, unread);
      expect(posted).to.include({ outcome: "rejected" });
    });

    it("is asked by GET or HEAD", async () => {
      const wire = closing.add(await serve(createHub([stripeBus()])));
      for (const method of ["POST", "PUT"]) {
        const { status, headers, body } = await wire.post("", { path: "/health", method });
        expect([status, headers["allow"], body]).to.deep.equal([405, "GET, HEAD", REFUSED]);
      }
    });
  });

  it("refuses what it cannot serve", () => {
    const refusal = (make: () => unknown): string => {
      try {
        make();
      } catch (error) {
        if (error instanceof ConfigurationError) return error.message;
        throw error;
      }
      return "nothing";
    };
    expect(refusal(() => createHub([]))).to.equal("a hub needs a bus: createHub([StripeEvent])");
    expect(refusal(() => createHub([stripeBus(), fetchingConektaBus(), stripeBus()]))).to.equal(
      'two buses of the hub are named "stripe": give each a `name` of its own',
    );
    const bus = stripeBus();
    expect(refusal(() => createHub([bus, bus]))).to.include('named "stripe"');
    expect(refusal(() => createHub([stripeBus({ name: "health" })]))).to.equal(
      'a bus of a hub cannot be named "health"',
    );
    for (const prefix of ["webhooks", "/", "/webhooks/", "//webhooks", "/web hooks", "/webhooks?x", "/a//b", "/ñ"]) {
      expect(
        refusal(() => createHub([stripeBus()], { prefix })),
        prefix,
      ).to.equal("`prefix` of a hub must be a path such as `/webhooks`, without a slash at its end");
    }
    for (const prefix of ["", "/webhooks", "/a/b", "/a.b~c_d-e"]) {
      expect(refusal(() => createHub([stripeBus()], { prefix }))).to.equal("nothing");
    }
  });

  it("is ready when all of its buses are", () => {
    expect(() => createHub([stripeBus(), fetchingConektaBus()]).assertReady()).not.to.throw();
    expect(() => createHub([stripeBus(), bareConektaBus()]).assertReady()).to.throw(
      ConfigurationError,
      'the bus "conekta" cannot authenticate deliveries: set `webhookKeys` or `privateSignature` or `apiKey`',
    );
  });

  it("logs what concerns no single bus where its first bus does", () => {
    const [one, two] = [stripeBus(), plainEventBus()];
    const hub = createHub([one, two]);
    hub.logger.error("x");
    expect([logOf(one).length, logOf(two).length]).to.deep.equal([1, 0]);
  });
});

describe("pathOf", () => {
  for (const [target, path] of [
    ["/a/b", "/a/b"],
    ["/a?b=/c", "/a"],
    ["/a#b", "/a"],
    ["/a?b#c?d", "/a"],
    ["/", "/"],
    ["", "/"],
    ["?a", "/"],
    ["#a", "/"],
    ["https://example.com/a?b", "/a"],
    ["HTTP://example.com:80/a", "/a"],
    ["http://example.com", "/"],
    ["http://example.com?a=/b", "/"],
    ["http://example.com#a", "/"],
    ["coap+tcp-1.0://h/a", "/a"],
    ["1http://h/a", "1http://h/a"],
    ["/http://h/a", "/http://h/a"],
    ["//h/a", "//h/a"],
    ["*", "*"],
    ["/a%2Fb", "/a%2Fb"],
    ["/a\nb", "/a\nb"],
  ] as const) {
    it(`of ${JSON.stringify(target)} is ${JSON.stringify(path)}`, () => {
      expect(pathOf(target)).to.equal(path);
    });
  }
});
