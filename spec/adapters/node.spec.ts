import { once } from "node:events";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import { expect } from "chai";
import { nodeHandler } from "../../src/adapters/node.ts";
import type { Endpoint } from "../../src/receiver/endpoint.ts";
import { acknowledged, refused } from "../../src/receiver/receipt.ts";
import { RecordingEndpoint } from "../support/endpoint.ts";
import { RawHttp } from "../support/raw-http.ts";
import { listen, startServer, type TestServer } from "../support/server.ts";

const REFUSED = '{"received":false}';

describe("nodeHandler", () => {
  let endpoint: RecordingEndpoint;
  let server: TestServer | undefined;

  beforeEach(() => {
    endpoint = new RecordingEndpoint();
  });

  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  const serve = async (options?: Parameters<typeof nodeHandler>[1]): Promise<TestServer> => {
    server = await startServer(nodeHandler(endpoint, options));
    return server;
  };

  it("hands over method, url, headers, address and the raw bytes", async () => {
    const { url } = await serve();
    const response = await fetch(`${url}/webhooks?a=b`, { method: "POST", headers: { "X-Mark": "1" }, body: "{ }" });

    expect([response.status, await response.text()]).to.deep.equal([200, '{"received":true}']);
    expect(response.headers.get("content-type")).to.equal("application/json");
    const [head] = endpoint.heads;
    expect(head).to.include({ method: "POST", url: "/webhooks?a=b", path: undefined });
    expect(head?.ip).to.be.oneOf(["127.0.0.1", "::1"]);
    expect(head?.headers).to.include({ "x-mark": "1" });
    expect(endpoint.texts()).to.deep.equal(["{ }"]);
  });

  it("keeps bytes that are no ASCII, and bytes that are no UTF-8", async () => {
    const { url } = await serve();
    const bytes = Buffer.concat([Buffer.from("\uFEFFañ—😀"), Buffer.from([0xff, 0x00, 0xc3])]);
    await fetch(url, { method: "POST", body: bytes });
    expect(endpoint.bodies.map((body) => Buffer.from(body).toString("hex"))).to.deep.equal([bytes.toString("hex")]);
  });

  it("puts together a chunked body that comes byte by byte", async () => {
    const { port } = await serve();
    const client = await RawHttp.connect(port);
    await client.sendHead({ "transfer-encoding": "chunked" });
    for (const byte of Buffer.from("día")) await client.send(Buffer.from([0x31, 13, 10, byte, 13, 10]));
    await client.send("0\r\n\r\n");
    expect(await client.read()).to.include({ status: 200 });
    expect(endpoint.texts()).to.deep.equal(["día"]);
    client.destroy();
  });

  it("takes a body of nothing", async () => {
    const { url } = await serve();
    await fetch(url, { method: "POST" });
    expect(endpoint.texts()).to.deep.equal([""]);
  });

  it("writes the status and headers that the endpoint gives, for another method 405 with Allow", async () => {
    const { url } = await serve();
    const response = await fetch(url);
    expect([response.status, response.headers.get("allow")]).to.deep.equal([405, "POST"]);
    expect(await response.text()).to.equal(REFUSED);
  });

  it("answers HEAD with headers alone", async () => {
    const { port } = await serve();
    const client = await RawHttp.connect(port);
    await client.sendHead({}, "/", "HEAD");
    await client.sendHead({ "content-length": 2 });
    await client.send("{}");
    expect((await client.read({ withoutBody: true })).headers).to.include({ "content-length": `${REFUSED.length}` });
    expect(await client.read()).to.include({ status: 200 });
    client.destroy();
  });

  it("counts the bytes of an answer, not its characters", async () => {
    endpoint.reply = () => ({ ...refused(200, "handled"), body: "año 😀" });
    const { url } = await serve();
    const response = await fetch(url, { method: "POST", body: "{}" });
    expect(response.headers.get("content-length")).to.equal("9");
    expect(await response.text()).to.equal("año 😀");
  });

  it("gives each answer its own length, though all have the same headers", async () => {
    const { url } = await serve();
    const headers = { "content-type": "text/plain" };
    for (const [status, body] of [
      [200, "one"],
      [200, "dos — años"],
      [200, "one"],
      [204, ""],
      [503, ""],
      [200, "one"],
    ] as const) {
      endpoint.reply = () => ({ status, headers, body, outcome: "handled" });
      const response = await fetch(url, { method: "POST", body: "{}" });
      const length = status === 204 ? null : String(Buffer.byteLength(body));
      expect([response.status, await response.text()]).to.deep.equal([status, body]);
      expect(response.headers.get("content-length")).to.equal(length);
      expect(response.headers.get("content-type")).to.equal("text/plain");
    }
    expect(headers).to.deep.equal({ "content-type": "text/plain" });
  });

  it("sends headers as they are by then, and does without any", async () => {
    const { url } = await serve();
    const headers: Record<string, string> = {};
    for (const secret of ["one", "two"]) {
      headers["x-hook-secret"] = secret;
      endpoint.reply = () => ({ status: 200, headers, body: "", outcome: "handled" });
      expect((await fetch(url, { method: "POST", body: "{}" })).headers.get("x-hook-secret")).to.equal(secret);
    }
    endpoint.reply = () => ({ status: 200, body: "ok", outcome: "handled" }) as never;
    expect(await (await fetch(url, { method: "POST", body: "{}" })).text()).to.equal("ok");
  });

  it("sends what somebody who wraps writeHead adds to the headers with that answer alone", async () => {
    const handler = nodeHandler(endpoint);
    server = await startServer((req, res) => {
      const writeHead = res.writeHead.bind(res) as (status: number, headers: object) => typeof res;
      res.writeHead = ((status: number, headers: object) =>
        writeHead(status, Object.assign(headers, req.headers["x-user"] ? { "set-cookie": "sid=1" } : {}))) as never;
      return handler(req, res);
    });
    const { url } = server;
    const cookieOf = async (headers: Record<string, string>): Promise<string | null> =>
      (await fetch(url, { method: "POST", body: "{}", headers })).headers.get("set-cookie");

    const replies: (typeof endpoint.reply)[] = [
      () => acknowledged("handled"),
      () => refused(503, "failed"),
      () => ({ status: 204, headers: acknowledged("handled").headers, body: "", outcome: "handled" }),
    ];
    for (const reply of replies) {
      endpoint.reply = reply;
      const cookies = [await cookieOf({}), await cookieOf({ "x-user": "alice" }), await cookieOf({})];
      expect(cookies).to.deep.equal([null, "sid=1", null]);
    }
  });

  it("goes by the body, whatever length the endpoint's headers give", async () => {
    endpoint.reply = () => ({ ...refused(200, "handled"), headers: { "content-length": "1" }, body: "año" });
    const { url } = await serve();
    const response = await fetch(url, { method: "POST", body: "{}" });
    expect([response.headers.get("content-length"), await response.text()]).to.deep.equal(["4", "año"]);
  });

  it("sends neither body nor length with 204", async () => {
    endpoint.reply = () => ({ status: 204, headers: {}, body: "", outcome: "handled" });
    const { url } = await serve();
    const response = await fetch(url, { method: "POST", body: "{}" });
    expect([response.status, response.headers.get("content-length")]).to.deep.equal([204, null]);
  });

  describe("path", () => {
    it("serves the path alone, with any query, in either form of the request target", async () => {
      const { port } = await serve({ path: "/hooks" });
      const client = await RawHttp.connect(port);
      const statusOf = async (target: string): Promise<number> => {
        await client.sendHead({ "content-length": 0 }, target);
        return (await client.read()).status;
      };
      expect(await statusOf("/hooks")).to.equal(200);
      expect(await statusOf("/hooks?x=/other")).to.equal(200);
      expect(await statusOf("http://example.com/hooks?x")).to.equal(200);
      expect(await statusOf("/hooks/")).to.equal(404);
      expect(await statusOf("/other?/hooks")).to.equal(404);
      client.destroy();
    });

    it("answers another path 404 with the body of every refusal", async () => {
      const { url } = await serve({ path: "/hooks" });
      const response = await fetch(`${url}/other`, { method: "POST", body: "{}" });
      expect([response.status, await response.text()]).to.deep.equal([404, REFUSED]);
      expect(endpoint.heads).to.deep.equal([]);
    });

    it("leaves another path to next, with the request unread", async () => {
      const handler = nodeHandler(endpoint, { path: "/hooks" });
      server = await startServer((req, res) =>
        handler(req, res, () => {
          expect(req.readableDidRead).to.equal(false);
          res.end("next");
        }),
      );
      expect(await (await fetch(`${server.url}/other`, { method: "POST", body: "{}" })).text()).to.equal("next");
    });
  });

  describe("an endpoint that knows nothing of the path", () => {
    beforeEach(() => {
      endpoint.respond = () => Promise.resolve(undefined);
    });

    it("is a 404", async () => {
      const { url } = await serve();
      const response = await fetch(url, { method: "POST", body: "{}" });
      expect([response.status, await response.text()]).to.deep.equal([404, REFUSED]);
    });

    it("leaves the request to next", async () => {
      const handler = nodeHandler(endpoint);
      server = await startServer((req, res) => handler(req, res, () => res.end("next")));
      expect(await (await fetch(server.url, { method: "POST" })).text()).to.equal("next");
    });
  });

  describe("a connection kept alive", () => {
    it("serves the next request after an answer, a refusal, and a refused body that had all arrived", async () => {
      endpoint.maxBodyBytes = 4;
      const { port } = await serve({ path: "/" });
      const client = await RawHttp.connect(port);
      const post = "POST / HTTP/1.1\r\nhost: x\r\n";
      const statuses: number[] = [];
      for (const request of [
        `${post}content-length: 2\r\n\r\n{}`,
        "GET / HTTP/1.1\r\nhost: x\r\n\r\n",
        "GET /other HTTP/1.1\r\nhost: x\r\n\r\n",
        "PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}",
        `${post}transfer-encoding: chunked\r\n\r\n8\r\n12345678\r\n0\r\n\r\n`,
        `${post}content-length: 8\r\n\r\n12345678`,
        `${post}content-length: 2\r\n\r\n[]`,
      ]) {
        await client.send(request);
        statuses.push((await client.read()).status);
      }
      expect(statuses).to.deep.equal([200, 405, 404, 405, 413, 413, 200]);
      expect(endpoint.texts()).to.deep.equal(["{}", "[]"]);
      client.destroy();
    });

    it("answers pipelined requests in their order", async () => {
      const { port } = await serve();
      const client = await RawHttp.connect(port);
      const request = (body: string): string => `POST /${body} HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n${body}`;
      await client.send(`${request("a")}GET / HTTP/1.1\r\nhost: x\r\n\r\n${request("b")}${request("c")}`);
      const statuses = [await client.read(), await client.read(), await client.read(), await client.read()];
      expect(statuses.map(({ status }) => status)).to.deep.equal([200, 405, 200, 200]);
      expect(endpoint.texts()).to.deep.equal(["a", "b", "c"]);
      client.destroy();
    });
  });

  describe("when something goes wrong", () => {
    it("does not call next after an answer", async () => {
      const handler = nodeHandler(endpoint);
      let nexts = 0;
      server = await startServer((req, res) =>
        handler(req, res, () => {
          nexts += 1;
        }),
      );
      await fetch(server.url, { method: "POST", body: "{}" });
      await fetch(server.url, { method: "PUT", body: "{}" });
      endpoint.respond = () => Promise.reject(new Error("secret"));
      await fetch(server.url, { method: "POST", body: "{}" });
      expect(nexts).to.equal(0);
    });

    const faults: Record<string, Endpoint["respond"]> = {
      "that rejects": () => Promise.reject(new Error("secret")),
      "that throws": () => {
        throw new Error("secret");
      },
      "that gives a header no wire can take": () =>
        Promise.resolve({ ...refused(200, "handled"), headers: { "x-bad": "a\r\nb: c" } }),
    };
    for (const [title, respond] of Object.entries(faults)) {
      it(`answers 500, telling nothing, for an endpoint ${title}`, async () => {
        endpoint.respond = respond;
        const { url } = await serve();
        const response = await fetch(url, { method: "POST", body: "{}" });
        expect([response.status, await response.text()]).to.deep.equal([500, REFUSED]);
        expect(endpoint.errors.map(({ message }) => message)).to.deep.equal(["a delivery could not be answered"]);
        expect(JSON.stringify(endpoint.errors)).not.to.include("secret");
      });
    }

    it("answers 500 even when the logger throws", async () => {
      endpoint.respond = () => Promise.reject(new Error("secret"));
      endpoint.logger.error = () => {
        throw new Error("no logs today");
      };
      const { url } = await serve();
      expect((await fetch(url, { method: "POST", body: "{}" })).status).to.equal(500);
    });

    it("answers 500 when next throws", async () => {
      const handler = nodeHandler(endpoint, { path: "/hooks" });
      server = await startServer((req, res) =>
        handler(req, res, () => {
          throw new Error("secret");
        }),
      );
      expect((await fetch(server.url)).status).to.equal(500);
    });

    it("cuts a response that cannot be written at all", async () => {
      const handler = nodeHandler(endpoint);
      server = await startServer((req, res) => {
        res.writeHead = () => {
          throw new Error("a middleware's writeHead");
        };
        return handler(req, res);
      });
      const client = await RawHttp.connect(server.port);
      await client.sendHead({ "content-length": 0 });
      await client.closed;
      expect(client.leftover()).to.equal("");
    });

    it("leaves an answer alone that somebody else began", async () => {
      const handler = nodeHandler(endpoint);
      server = await startServer(async (req, res) => {
        endpoint.on("reading", () => res.writeHead(503).end("too late"));
        await handler(req, res);
      });
      const response = await fetch(server.url, { method: "POST", body: "{}" });
      expect([response.status, await response.text()]).to.deep.equal([503, "too late"]);
      expect(endpoint.errors).to.deep.equal([]);
    });
  });

  it("reads a request of HTTP/2 that somebody paused, and refuses one that somebody made text", async () => {
    const handler = nodeHandler(endpoint, { bodyTimeoutMs: 1_000 });
    server = await listen(
      createHttp2Server((req, res) => {
        if (req.url === "/paused") req.pause();
        else req.setEncoding("utf8");
        void handler(req, res);
      }),
    );
    const session = connectHttp2(server.url);
    const post = async (path: string): Promise<number | undefined> => {
      const stream = session.request({ ":method": "POST", ":path": path });
      const answered = once(stream, "response");
      stream.end("{}");
      const [headers] = await answered;
      stream.resume();
      return headers[":status"];
    };
    expect([await post("/paused"), await post("/text")]).to.deep.equal([200, 500]);
    expect(endpoint.texts()).to.deep.equal(["{}"]);
    expect(endpoint.refusals.map(({ code }) => code)).to.deep.equal(["HOOKBUS_RAW_BODY_UNAVAILABLE"]);
    session.destroy();
  });

  it("serves HTTP/2, and gives up the one stream whose body is too large", async () => {
    const handler = nodeHandler(endpoint);
    server = await listen(createHttp2Server((req, res) => void handler(req, res)));
    const session = connectHttp2(server.url);
    const post = async (body: Uint8Array): Promise<[number | undefined, string]> => {
      const stream = session.request({ ":method": "POST", ":path": "/" });
      const answered = Promise.all([once(stream, "response"), once(stream, "end")]);
      let text = "";
      stream.on("data", (chunk) => {
        text += chunk;
      });
      stream.write(body);
      if (body.byteLength < endpoint.maxBodyBytes) stream.end();
      const [[headers]] = await answered;
      return [headers[":status"], text];
    };
    expect(await post(Buffer.from("{}"))).to.deep.equal([200, '{"received":true}']);
    expect(await post(Buffer.alloc(1024 * 1024))).to.deep.equal([413, REFUSED]);
    expect(await post(Buffer.from("[]"))).to.deep.equal([200, '{"received":true}']);
    expect(server.bytesRead()).to.be.below(512 * 1024);
    session.destroy();
  });
});
