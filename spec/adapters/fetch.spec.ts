import { expect } from "chai";
import { fetchHandler } from "../../src/adapters/fetch.ts";
import { refused } from "../../src/receiver/receipt.ts";
import { RecordingEndpoint } from "../support/endpoint.ts";

const URL_ = "https://example.com/hooks?a=b";
const REFUSED = '{"received":false}';

const post = (body: BodyInit | null, init: RequestInit = {}): Request =>
  new Request(URL_, { method: "POST", body, duplex: "half", ...init } as RequestInit);

/** A body that gives `pieces` and then, unless it ends, nothing for ever. */
function stream(pieces: readonly (string | Uint8Array)[], { ends = true } = {}) {
  const state = { pulled: 0, cancelled: undefined as unknown };
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const piece = pieces[state.pulled];
        state.pulled += 1;
        if (piece !== undefined) return controller.enqueue(Buffer.from(piece));
        if (ends) return controller.close();
        return new Promise(() => {});
      },
      cancel(reason) {
        state.cancelled = reason;
      },
    },
    { highWaterMark: 0 },
  );
  return { body, state };
}

describe("fetchHandler", () => {
  let endpoint: RecordingEndpoint;

  beforeEach(() => {
    endpoint = new RecordingEndpoint();
  });

  const codes = (): string[] => endpoint.refusals.map(({ code }) => code);

  it("hands over method, url, headers and the raw bytes", async () => {
    const bytes = Buffer.concat([Buffer.from("\uFEFFañ—😀"), Buffer.from([0xff, 0x00])]);
    const response = await fetchHandler(endpoint)(post(bytes, { headers: { "X-Mark": "1" } }));
    expect([response.status, await response.text()]).to.deep.equal([200, '{"received":true}']);
    expect(response.headers.get("content-type")).to.equal("application/json");
    expect(endpoint.heads[0]).to.include({ method: "POST", url: URL_, ip: undefined });
    expect(endpoint.heads[0]?.headers).to.include({ "x-mark": "1" });
    expect(Buffer.from(endpoint.bodies[0] ?? []).toString("hex")).to.equal(bytes.toString("hex"));
  });

  it("asks `ip` for the peer's address", async () => {
    const handler = fetchHandler(endpoint, { ip: (request) => (request.url === URL_ ? "192.0.2.1" : undefined) });
    await handler(post("{}"));
    expect(endpoint.heads[0]).to.include({ ip: "192.0.2.1" });
  });

  it("puts together a body that comes in pieces", async () => {
    await fetchHandler(endpoint)(post(stream(["a", "b", "", "c"]).body));
    expect(endpoint.texts()).to.deep.equal(["abc"]);
  });

  it("takes a body of nothing, and a stream of nothing", async () => {
    await fetchHandler(endpoint)(post(null));
    await fetchHandler(endpoint)(post(stream([]).body));
    expect(endpoint.texts()).to.deep.equal(["", ""]);
  });

  it("serves one path alone where it has one, whatever the query", async () => {
    const handler = fetchHandler(endpoint, { path: "/hooks" });
    expect((await handler(post("{}"))).status).to.equal(200);
    const response = await handler(new Request("https://example.com/other?/hooks", { method: "POST", body: "{}" }));
    expect([response.status, await response.text()]).to.deep.equal([404, REFUSED]);
  });

  it("answers 404 where the endpoint knows nothing of the path", async () => {
    endpoint.respond = () => Promise.resolve(undefined);
    const response = await fetchHandler(endpoint)(post("{}"));
    expect([response.status, await response.text()]).to.deep.equal([404, REFUSED]);
  });

  it("gives the endpoint's headers, and nothing but headers for HEAD", async () => {
    const handler = fetchHandler(endpoint);
    const response = await handler(new Request(URL_));
    expect([response.status, response.headers.get("allow"), await response.text()]).to.deep.equal([
      405,
      "POST",
      REFUSED,
    ]);
    expect(await (await handler(new Request(URL_, { method: "HEAD" }))).text()).to.equal("");
  });

  it("answers 204 without a body", async () => {
    endpoint.reply = () => ({ status: 204, headers: {}, body: "", outcome: "handled" });
    const response = await fetchHandler(endpoint)(post("{}"));
    expect([response.status, response.body]).to.deep.equal([204, null]);
  });

  describe("a body that is too large", () => {
    beforeEach(() => {
      endpoint.maxBodyBytes = 4;
    });

    it("is a 413 when declared, with nothing read", async () => {
      const { body, state } = stream(["12345"]);
      const response = await fetchHandler(endpoint)(post(body, { headers: { "content-length": "5" } }));
      expect([response.status, await response.text()]).to.deep.equal([413, REFUSED]);
      expect(state.pulled).to.equal(0);
    });

    it("is a 413 when streamed, with no more read, and the stream cancelled", async () => {
      const { body, state } = stream(["12", "345", "6", "7"]);
      expect((await fetchHandler(endpoint)(post(body))).status).to.equal(413);
      expect([state.pulled, codes()]).to.deep.equal([2, ["HOOKBUS_BODY_TOO_LARGE"]]);
      expect(state.cancelled).to.equal(endpoint.refusals[0]);
    });

    it("is one byte beyond the limit, not at it", async () => {
      expect((await fetchHandler(endpoint)(post(stream(["12", "34"]).body))).status).to.equal(200);
    });
  });

  it("answers 408 to a body that stalls, and cancels it", async () => {
    const { body, state } = stream(["12"], { ends: false });
    expect((await fetchHandler(endpoint, { bodyTimeoutMs: 10 })(post(body))).status).to.equal(408);
    expect(codes()).to.deep.equal(["HOOKBUS_BODY_TIMEOUT"]);
    expect(state.cancelled).to.equal(endpoint.refusals[0]);
  });

  it("answers 408 although the source hangs in its cancellation, too", async () => {
    const body = new ReadableStream({ pull: () => new Promise(() => {}), cancel: () => new Promise(() => {}) });
    expect((await fetchHandler(endpoint, { bodyTimeoutMs: 10 })(post(body))).status).to.equal(408);
  });

  it("takes a stream that fails for a client that went away", async () => {
    const cause = new Error("reset");
    const body = new ReadableStream({
      pull: (controller) => controller.error(cause),
    });
    expect((await fetchHandler(endpoint)(post(body))).status).to.equal(400);
    expect(codes()).to.deep.equal(["HOOKBUS_REQUEST_ABORTED"]);
    expect(endpoint.refusals[0]?.cause).to.equal(cause);
  });

  it("gives up a body whose request is aborted, before or while it is read", async () => {
    const during = new AbortController();
    const { body, state } = stream(["12"], { ends: false });
    const answered = fetchHandler(endpoint)(post(body, { signal: during.signal }));
    during.abort();
    expect((await answered).status).to.equal(400);
    expect((await fetchHandler(endpoint)(post("{}", { signal: AbortSignal.abort() }))).status).to.equal(400);
    expect(codes()).to.deep.equal(["HOOKBUS_REQUEST_ABORTED", "HOOKBUS_REQUEST_ABORTED"]);
    expect(state.cancelled).to.equal(endpoint.refusals[0]);
  });

  it("leaves no timer behind", async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((type) => type === "Timeout").length;
    // Mocha starts its own timer after the test's first await.
    await fetchHandler(endpoint)(post("{}"));
    const before = timers();
    await fetchHandler(endpoint)(post("{}"));
    await fetchHandler(endpoint)(post("x".repeat(endpoint.maxBodyBytes + 1)));
    expect(timers()).to.equal(before);
  });

  for (const [title, take] of Object.entries({
    read: (request: Request) => request.text(),
    locked: (request: Request) => Promise.resolve(request.body?.getReader()),
  })) {
    it(`answers 500 to a body that is ${title} already, and says what to do`, async () => {
      const request = post("{}");
      await take(request);
      const response = await fetchHandler(endpoint)(request);
      expect([response.status, await response.text()]).to.deep.equal([500, REFUSED]);
      expect(codes()).to.deep.equal(["HOOKBUS_RAW_BODY_UNAVAILABLE"]);
      expect(endpoint.errors.map(({ message }) => message).join()).to.include("request.clone()");
    });
  }

  const faults: Record<string, () => Parameters<typeof fetchHandler>[1]> = {
    "the endpoint rejects": () => {
      endpoint.respond = () => Promise.reject(new Error("secret"));
      return {};
    },
    "the endpoint throws": () => {
      endpoint.respond = () => {
        throw new Error("secret");
      };
      return {};
    },
    "`ip` throws": () => ({
      ip: () => {
        throw new Error("secret");
      },
    }),
    "the answer cannot be sent": () => {
      endpoint.reply = () => refused(99, "handled");
      return {};
    },
  };
  for (const [title, arrange] of Object.entries(faults)) {
    it(`answers 500, telling nothing, when ${title}`, async () => {
      const response = await fetchHandler(endpoint, arrange())(post("{}"));
      expect([response.status, await response.text()]).to.deep.equal([500, REFUSED]);
      expect(endpoint.errors.map(({ message }) => message)).to.deep.equal(["a delivery could not be answered"]);
      expect(JSON.stringify(endpoint.errors)).not.to.include("secret");
    });
  }
});
