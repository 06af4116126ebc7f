import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
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
import { until } from "../inbox/scripted-bus.ts";
import { RawHttp } from "../support/raw-http.ts";
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

for (const name of ["nodeHandler", "expressHandler in Express 4", "expressHandler in Express 5"]) {
  describe(`a bus behind ${name}, and a client that leaves in mid-body`, () => {
    const CLIENTS = 50;

    it("hands nothing to a subscriber, however much came, keeps nothing, and takes the event when it comes again", async () => {
      const { bus, seen } = makeBus();
      const reasons: (string | undefined)[] = [];
      bus.notifications.subscribe("hookbus.receive", ({ reason }) => void reasons.push(reason));
      const handler = name === "nodeHandler" ? nodeHandler(bus) : expressHandler(bus);
      const requests: WeakRef<object>[] = [];
      const listener: RequestListener = (req, res) => {
        requests.push(new WeakRef(req));
        void handler(req as never, res as never, () => res.end());
      };
      const app = { nodeHandler: listener, "expressHandler in Express 4": express4().use(listener as never) }[name];
      // One of its own, which keeps no list of sockets: they would hold the requests.
      const http = createServer(app ?? express5().use(listener as never)).listen(0, "localhost");
      await once(http, "listening");
      const { port } = http.address() as AddressInfo;
      const connections = promisify(http.getConnections.bind(http));
      const timers = activeTimers();

      const headers = stripe().sign(BODY, { secret: SECRET });
      const whole = BODY.byteLength;
      for (let at = 0; at < CLIENTS; at++) {
        const client = await RawHttp.connect(port);
        // By length and in chunks, from nothing at all to the whole event, which only lacks its end.
        const framing = at % 2 === 0 ? { "content-length": whole + 1 } : { "transfer-encoding": "chunked" };
        const sent = BODY.subarray(0, Math.floor((whole * at) / (CLIENTS - 1)));
        await client.sendHead({ ...headers, ...framing });
        if (at % 2 === 0) await client.send(sent);
        else if (sent.byteLength > 0)
          await client.send(`${sent.byteLength.toString(16)}\r\n${sent.toString("latin1")}\r\n`);
        await until(() => requests.length === at + 1);
        if (at % 4 < 2) client.destroy();
        else client.socket.resetAndDestroy();
      }
      await until(async () => reasons.length === CLIENTS && (await connections()) === 0);
      expect(reasons).to.deep.equal(Array(CLIENTS).fill("HOOKBUS_REQUEST_ABORTED"));
      expect(seen).to.deep.equal([]);
      expect(activeTimers()).to.be.at.most(timers);
      await until(() => {
        collectGarbage();
        // Node itself may still hold the latest.
        return requests.filter((request) => request.deref() !== undefined).length <= CLIENTS / 10;
      });

      expect((await fetch(`http://localhost:${port}/`, genuine())).status).to.equal(200);
      expect(seen).to.deep.equal(["stripe"]);
      http.closeAllConnections();
      http.close();
      await once(http, "close");
    });
  });
}

function activeTimers(): number {
  return process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length;
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
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
