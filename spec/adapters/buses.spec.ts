import { readFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { expect } from "chai";
import express5 from "express";
import express4 from "express4";
import { expressHandler } from "../../src/adapters/express.ts";
import { fetchHandler } from "../../src/adapters/fetch.ts";
import { nodeHandler } from "../../src/adapters/node.ts";
import { EventBus } from "../../src/event-bus.ts";
import { stripe } from "../../src/providers/stripe.ts";
import type { Endpoint } from "../../src/receiver/endpoint.ts";
import { createHub } from "../../src/receiver/hub.ts";
import { startServer, type TestServer } from "../support/server.ts";

const SECRET = "whsec_a_secret_of_this_spec";
const BODY = readFileSync(new URL("../../fixtures/stripe/charge.succeeded.json", import.meta.url));
const silent = { info: () => {}, warn: () => {}, error: () => {} };

/** What goes out to the wire and comes back, whatever stands in between. */
type Send = (path: string, init?: RequestInit) => Promise<Response>;

let server: TestServer | undefined;

async function stop(): Promise<void> {
  await server?.close();
  server = undefined;
}

const served = async (listener: RequestListener): Promise<Send> => {
  server = await startServer(listener);
  const { url } = server;
  return (path, init) => fetch(url + path, init);
};

const houses: Record<string, (endpoint: Endpoint) => Promise<Send>> = {
  nodeHandler: (endpoint) => served(nodeHandler(endpoint)),
  "expressHandler in Express 4": (endpoint) => served(express4().use(expressHandler(endpoint))),
  "expressHandler in Express 5": (endpoint) => served(express5().use(expressHandler(endpoint))),
  fetchHandler: async (endpoint) => {
    const handler = fetchHandler(endpoint);
    return (path, init) => handler(new Request(`https://example.com${path}`, init));
  },
};

function makeBus(name = "stripe"): { bus: EventBus; seen: string[] } {
  const seen: string[] = [];
  const bus = new EventBus(stripe(), { name }) as unknown as EventBus;
  bus.configure((events) => {
    events.signingSecrets = SECRET;
    events.logger = silent;
    events.subscribe("charge.", () => {
      seen.push(name);
    });
  });
  return { bus, seen };
}

const genuine = (): RequestInit => ({ method: "POST", body: BODY, headers: stripe().sign(BODY, { secret: SECRET }) });

for (const [name, open] of Object.entries(houses)) {
  describe(`a bus behind ${name}`, () => {
    afterEach(stop);

    it("delivers a genuine event once, and refuses a forged one", async () => {
      const { bus, seen } = makeBus();
      const send = await open(bus);
      const first = await send("/", genuine());
      expect([first.status, await first.text()]).to.deep.equal([200, '{"received":true}']);
      expect((await send("/", genuine())).status).to.equal(200);
      expect(seen).to.deep.equal(["stripe"]);

      const forged = await send("/", { ...genuine(), body: Buffer.concat([BODY, Buffer.from(" ")]) });
      expect([forged.status, await forged.text()]).to.deep.equal([401, '{"received":false}']);
    });

    it("refuses other methods and bodies that are too large", async () => {
      const { bus } = makeBus();
      bus.maxBodyBytes = BODY.byteLength - 1;
      const send = await open(bus);
      const other = await send("/");
      expect([other.status, other.headers.get("allow")]).to.deep.equal([405, "POST"]);
      expect((await send("/", genuine())).status).to.equal(413);
    });

    it("is one of several in a hub, which leaves other paths alone", async () => {
      const mexico = makeBus("stripe-mx");
      const spain = makeBus("stripe-es");
      const send = await open(createHub([mexico.bus, spain.bus]));
      expect((await send("/stripe-es", genuine())).status).to.equal(200);
      expect((await send("/elsewhere", genuine())).status).to.equal(404);
      expect([mexico.seen, spain.seen]).to.deep.equal([[], ["stripe-es"]]);
      expect(await (await send("/health")).json()).to.deep.equal({ status: "up" });
    });
  });
}

describe("a hub under a mount path of Express", () => {
  afterEach(stop);

  it("finds its buses by the path within the mount", async () => {
    const { bus, seen } = makeBus();
    const send = await served(express5().use("/webhooks", expressHandler(createHub([bus]))));
    expect((await send("/webhooks/stripe?x", genuine())).status).to.equal(200);
    expect(seen).to.deep.equal(["stripe"]);
  });
});

describe("a bus behind express.json()", () => {
  afterEach(stop);

  it("answers 500, dispatches nothing, and tells the operator which line to change", async () => {
    const { bus, seen } = makeBus();
    const logged: string[] = [];
    bus.logger = { ...silent, error: (...parts: unknown[]) => void logged.push(JSON.stringify(parts)) };
    const send = await served(express5().use(express5.json(), expressHandler(bus)));
    const headers = { ...stripe().sign(BODY, { secret: SECRET }), "content-type": "application/json" };
    expect((await send("/", { method: "POST", body: BODY, headers })).status).to.equal(500);
    expect(seen).to.deep.equal([]);
    expect(logged).to.have.length(1);
    expect(logged[0]).to.include("before app.use(express.json())");
  });
});
