import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { expect } from "chai";
import { nodeHandler } from "../../src/adapters/node.ts";
import { acknowledged } from "../../src/receiver/receipt.ts";
import { RecordingEndpoint } from "../support/endpoint.ts";
import { RawHttp } from "../support/raw-http.ts";
import { listen, startServer, type TestServer } from "../support/server.ts";

const MB = 1024 * 1024;

/** Timers that hold up the process, as a forgotten body timeout would. */
const pendingTimers = (): number => process.getActiveResourcesInfo().filter((type) => type === "Timeout").length;

/** Not `end`: Node adds one of its own to a request that it gives up. */
const EVENTS = ["data", "error", "close"];
const listenersOf = (req: IncomingMessage): number[] => EVENTS.map((event) => req.listenerCount(event));

describe("reading a body from the socket", () => {
  let endpoint: RecordingEndpoint;
  let server: TestServer;
  let client: RawHttp;
  let timersBefore: number;
  /** The request, and how many listeners it had before the handler saw it. */
  let seen: { req: IncomingMessage; listeners: number[] }[];
  let answered: Promise<void>[];
  /** What somebody does to a request just before it is handed over, and just after. */
  let before: (req: IncomingMessage) => unknown;
  let after: (req: IncomingMessage) => unknown;

  const serve = async (bodyTimeoutMs?: number): Promise<void> => {
    const handler = nodeHandler(endpoint, { bodyTimeoutMs });
    server = await startServer((req, res) => {
      before(req);
      seen.push({ req, listeners: listenersOf(req) });
      answered.push(handler(req, res));
      after(req);
    });
    client = await RawHttp.connect(server.port);
    // Not in a hook: each test has a timer of mocha's.
    timersBefore = pendingTimers();
  };

  beforeEach(() => {
    endpoint = new RecordingEndpoint();
    seen = [];
    answered = [];
    before = () => {};
    after = () => {};
  });

  afterEach(async () => {
    client.destroy();
    await server.close();
  });

  const expectNothingLeftBehind = (): void => {
    for (const { req, listeners } of seen) expect(listenersOf(req)).to.deep.equal(listeners);
    expect(pendingTimers()).to.equal(timersBefore);
  };

  it("leaves no listener and no timer behind", async () => {
    await serve();
    await client.sendHead({ "content-length": 2 });
    await client.send("{");
    await client.send("}");
    expect(await client.read()).to.include({ status: 200 });
    expectNothingLeftBehind();
  });

  describe("that came with its head", () => {
    const request = (body: string, declared = body.length): string =>
      `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${declared}\r\n\r\n${body}`;
    const received = (): string[] => endpoint.bodies.map(String);

    it("takes it without a listener or a timer", async () => {
      await serve();
      const listened: string[] = [];
      endpoint.once("reading", () => {
        seen[0]?.req.on("newListener", (event: string) => listened.push(event));
      });
      let timers = -1;
      endpoint.reply = () => {
        timers = pendingTimers();
        return acknowledged("handled");
      };
      await client.send(request('{"a":1}'));
      expect(await client.read()).to.include({ status: 200 });
      expect(received()).to.deep.equal(['{"a":1}']);
      expect(listened).to.deep.equal([]);
      expect(timers).to.equal(timersBefore);
    });

    for (const when of ["before", "after"] as const) {
      it(`takes it beside somebody who listens to it from ${when} it is handed over`, async () => {
        const heard: string[] = [];
        const tap = (req: IncomingMessage): unknown => req.on("data", (chunk) => heard.push(String(chunk)));
        if (when === "before") before = tap;
        else after = tap;
        await serve();
        await client.send(request("12345"));
        expect(await client.read()).to.include({ status: 200 });
        expect([received(), heard]).to.deep.equal([["12345"], ["12345"]]);
      });
    }

    it("ends the request for whoever else waits for its end", async () => {
      const events: string[] = [];
      await serve();
      endpoint.once("reading", () => {
        const { req } = seen[0] as (typeof seen)[number];
        for (const event of ["end", "close"]) req.once(event, () => events.push(event));
      });
      await client.send(request("{}"));
      expect(await client.read()).to.include({ status: 200 });
      await new Promise((resolve) => setImmediate(resolve));
      expect(events).to.deep.equal(["end", "close"]);
    });

    it("takes several such requests in one packet, each its own", async () => {
      await serve();
      await client.send(request("one") + request("second") + request("3"));
      for (let each = 0; each < 3; each += 1) expect(await client.read()).to.include({ status: 200 });
      expect(received()).to.deep.equal(["one", "second", "3"]);
      expectNothingLeftBehind();
    });

    for (const early of [0, 1, 9]) {
      it(`takes the rest of one whose first ${early} of ten bytes came with it`, async () => {
        await serve();
        await client.send(request("0123456789".slice(0, early), 10));
        await once(endpoint, "reading");
        await new Promise((resolve) => setImmediate(resolve));
        await client.send("0123456789".slice(early));
        expect(await client.read()).to.include({ status: 200 });
        expect(received()).to.deep.equal(["0123456789"]);
        expectNothingLeftBehind();
      });
    }

    it("takes all of one in chunks, whatever length a lenient parser lets it declare beside them", async () => {
      const handler = nodeHandler(endpoint);
      server = await listen(createServer({ insecureHTTPParser: true }, (req, res) => void handler(req, res)));
      client = await RawHttp.connect(server.port);
      const head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n";
      await client.send(`${head}5\r\n01234\r\n3\r\n567\r\n0\r\n\r\n`);
      expect(await client.read()).to.include({ status: 200 });
      expect(received()).to.deep.equal(["01234567"]);
    });

    it("takes none that is empty for one that is not there yet", async () => {
      await serve();
      await client.send(request(""));
      expect(await client.read()).to.include({ status: 200 });
      expect(received()).to.deep.equal([""]);
    });

    it("still counts it against `maxBodyBytes`", async () => {
      endpoint.maxBodyBytes = 4;
      await serve();
      await client.send(request("12345"));
      expect(await client.read()).to.include({ status: 413 });
      expect(received()).to.deep.equal([]);
    });
  });

  it("takes a body of exactly `maxBodyBytes`", async () => {
    endpoint.maxBodyBytes = 4;
    await serve();
    await client.sendHead({ "content-length": 4 });
    await client.send("1234");
    expect(await client.read()).to.include({ status: 200 });
  });

  describe("too large", () => {
    it("answers 413 to a declared length, with nothing read", async () => {
      await serve();
      await client.sendHead({ "content-length": 50 * MB });
      expect(await client.read()).to.deep.include({ status: 413, body: '{"received":false}' });
      expect(seen[0]?.req.listenerCount("error")).to.equal(0);
      expect(endpoint.refusals.map(({ code }) => code)).to.deep.equal(["HOOKBUS_BODY_TOO_LARGE"]);
    });

    for (const [title, headers] of Object.entries({
      declared: { "content-length": 50 * MB },
      "not declared": { "transfer-encoding": "chunked" },
    })) {
      it(`takes in little of 50 MB, ${title}, and the client that only ever sends can read the 413`, async () => {
        await serve();
        await client.sendHead(headers);
        // One chunk that never ends.
        if (title === "not declared") await client.send(`${(50 * MB).toString(16)}\r\n`);
        const flooding = client.flood(50 * MB);

        const response = await client.read();
        expect(response).to.include({ status: 413 });
        expect(response.headers).to.include({ connection: "close" });
        await client.closed;
        await flooding;
        expect(server.bytesRead()).to.be.below(endpoint.maxBodyBytes + 512 * 1024);
        expect(endpoint.bodies).to.deep.equal([]);
        expect(server.openSockets()).to.equal(0);
        expectNothingLeftBehind();
      });
    }

    it("drains what little is left, so that a client which sends first and reads later gets its answer", async () => {
      await serve();
      client.socket.pause();
      const reading = endpoint.next("reading");
      await client.sendHead({ "content-length": 192 * 1024 });
      await reading;
      const ended = once(seen[0]?.req as IncomingMessage, "end");
      await client.flood(192 * 1024);
      await ended;
      client.socket.resume();
      expect(await client.read()).to.include({ status: 413 });
      await client.closed;
      expect(client.leftover()).to.equal("");
      expectNothingLeftBehind();
    });
  });

  describe("that somebody paused", () => {
    beforeEach(() => {
      before = (req) => req.pause();
    });

    it("reads one that came with its head", async () => {
      await serve(1_000);
      await client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n12345");
      expect(await client.read()).to.include({ status: 200 });
      expect(endpoint.texts()).to.deep.equal(["12345"]);
      expectNothingLeftBehind();
    });

    it("reads one that comes in pieces, of no declared length", async () => {
      await serve(1_000);
      const reading = endpoint.next("reading");
      await client.sendHead({ "transfer-encoding": "chunked" });
      await reading;
      await client.send("3\r\n123\r\n");
      await client.send("2\r\n45\r\n0\r\n\r\n");
      expect(await client.read()).to.include({ status: 200 });
      expect(endpoint.texts()).to.deep.equal(["12345"]);
      expectNothingLeftBehind();
    });
  });

  describe("that somebody made text with setEncoding()", () => {
    const setEncoding = (req: IncomingMessage): unknown => req.setEncoding("utf8");

    const expectRefused = async (): Promise<void> => {
      expect(await client.read()).to.deep.include({ status: 500, body: '{"received":false}' });
      expect(endpoint.bodies).to.deep.equal([]);
      expect(endpoint.errors).to.deep.equal([
        {
          message:
            "`req.setEncoding()` made text of the body, and its raw bytes are gone: " +
            "mount the handler before whatever calls it, or hand over the raw bytes as req.rawBody",
          fields: { code: "HOOKBUS_RAW_BODY_UNAVAILABLE" },
        },
      ]);
      const closed = new Promise((resolve) => seen[0]?.req.socket.once("close", resolve));
      client.destroy();
      await closed;
      expectNothingLeftBehind();
    };

    for (const when of ["before", "just after"] as const) {
      it(`refuses one that came with its head, encoded ${when} it was handed over`, async () => {
        if (when === "before") before = setEncoding;
        else after = setEncoding;
        await serve();
        await client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n12345");
        await expectRefused();
      });

      it(`refuses one encoded ${when} it was handed over, at its first piece at the latest`, async () => {
        if (when === "before") before = setEncoding;
        else after = setEncoding;
        await serve();
        await client.sendHead({ "content-length": 20 });
        if (when === "just after") await client.send("0123456789");
        await expectRefused();
      });
    }

    it("refuses one encoded after its first piece was read, at the next", async () => {
      await serve();
      const reading = endpoint.next("reading");
      await client.sendHead({ "content-length": 20 });
      await reading;
      const { req } = seen[0] as (typeof seen)[number];
      const first = once(req, "data");
      await client.send("01234");
      await first;
      setEncoding(req);
      await client.send("56789");
      await expectRefused();
    });

    it("takes the bytes of one that was kept all the same", async () => {
      before = (req) => Object.assign(req.setEncoding("utf8"), { rawBody: Buffer.from("kept") });
      await serve();
      await client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n12345");
      expect(await client.read()).to.include({ status: 200 });
      expect(endpoint.texts()).to.deep.equal(["kept"]);
    });

    it("takes in little of one that never ends", async () => {
      before = setEncoding;
      await serve();
      await client.sendHead({ "transfer-encoding": "chunked" });
      await client.send(`${(50 * MB).toString(16)}\r\n`);
      const flooding = client.flood(50 * MB);
      expect((await client.read()).headers).to.include({ connection: "close" });
      await client.closed;
      await flooding;
      expect(server.bytesRead()).to.be.below(1 * MB);
      expect(endpoint.refusals.map(({ code }) => code)).to.deep.equal(["HOOKBUS_RAW_BODY_UNAVAILABLE"]);
      expectNothingLeftBehind();
    });
  });

  it("answers 408 to a body that stalls, and gives the connection up", async () => {
    await serve(20);
    await client.sendHead({ "content-length": 100 });
    await client.send("begun");
    const response = await client.read();
    expect(response).to.deep.include({ status: 408, body: '{"received":false}' });
    expect(response.headers).to.include({ connection: "close" });
    const closed = new Promise((resolve) => seen[0]?.req.socket.once("close", resolve));
    client.destroy();
    await closed;
    expect(endpoint.refusals.map(({ code }) => code)).to.deep.equal(["HOOKBUS_BODY_TIMEOUT"]);
    expectNothingLeftBehind();
  });

  it("counts the body timeout over the whole body, not from byte to byte", async () => {
    await serve(60);
    await client.sendHead({ "content-length": 60_000 });
    const trickle = setInterval(() => client.socket.write("x"), 5);
    const response = await client.read().finally(() => clearInterval(trickle));
    expect(response).to.include({ status: 408 });
  });

  describe("when the client goes away", () => {
    const expectAborted = async (): Promise<void> => {
      await Promise.all(answered);
      expect(endpoint.refusals.map(({ code }) => code)).to.deep.equal(["HOOKBUS_REQUEST_ABORTED"]);
      expect([endpoint.bodies, endpoint.errors]).to.deep.equal([[], []]);
      expectNothingLeftBehind();
    };

    it("gives up a body of declared length", async () => {
      await serve();
      await client.sendHead({ "content-length": 100 });
      await endpoint.next("reading");
      const refused = endpoint.next("refused");
      await client.send("begun");
      client.destroy();
      await refused;
      await expectAborted();
    });

    it("gives up a chunked body that was ended in the middle", async () => {
      await serve();
      await client.sendHead({ "transfer-encoding": "chunked" });
      await endpoint.next("reading");
      const refused = endpoint.next("refused");
      client.socket.end("5\r\nbe");
      await refused;
      await expectAborted();
    });

    it("gives up a chunked body that is none", async () => {
      await serve();
      await client.sendHead({ "transfer-encoding": "chunked" });
      await endpoint.next("reading");
      const refused = endpoint.next("refused");
      await client.send("no length\r\n");
      await refused;
      await expectAborted();
    });

    it("gives up at once when it went before the reading began", async () => {
      await serve();
      const respond = endpoint.respond.bind(endpoint);
      endpoint.respond = async (head, readBody) => {
        client.destroy();
        await new Promise((resolve) => seen[0]?.req.once("close", resolve));
        return respond(head, readBody);
      };
      const refused = endpoint.next("refused");
      await client.sendHead({ "content-length": 100 });
      await refused;
      await expectAborted();
    });
  });
});
