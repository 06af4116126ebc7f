import { expect } from "chai";
import { nodeHandler } from "../../src/adapters/node.ts";
import { refused } from "../../src/receiver/receipt.ts";
import { RecordingEndpoint } from "../support/endpoint.ts";
import { RawHttp } from "../support/raw-http.ts";
import { startServer, type TestServer } from "../support/server.ts";

describe("a request that is answered before all of it has come", () => {
  let endpoint: RecordingEndpoint;
  let server: TestServer;
  let client: RawHttp;

  beforeEach(async () => {
    endpoint = new RecordingEndpoint();
    endpoint.gate = () => refused(401, "rejected");
    server = await startServer(nodeHandler(endpoint));
    client = await RawHttp.connect(server.port);
  });

  afterEach(async () => {
    client.destroy();
    await server.close();
  });

  it("is answered at once, and costs a connection on which nothing more comes", async () => {
    await client.sendHead({ "content-length": 1_000 });
    const response = await client.read();
    expect(response).to.deep.include({ status: 401, body: '{"received":false}' });
    expect(response.headers).to.include({ connection: "close", "content-length": "18" });
    await client.closed;
  });

  it("has its connection closed as soon as the rest is in", async () => {
    await client.sendHead({ "content-length": 1_000 });
    await client.read();
    const started = performance.now();
    await client.send("x".repeat(1_000));
    await client.closed;
    // Well before the second that a silent client is given.
    expect(performance.now() - started).to.be.below(700);
  });

  it("gets no second answer, whatever follows on the connection", async () => {
    await client.sendHead({ "content-length": 4 });
    await client.read();
    await client.send("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n");
    await client.closed;
    expect(client.leftover()).to.equal("");
    expect(endpoint.heads).to.have.length(1);
  });

  it("gets headers alone for HEAD", async () => {
    await client.sendHead({ "content-length": 1_000 }, "/", "HEAD");
    const response = await client.read({ withoutBody: true });
    expect(response.headers).to.include({ connection: "close", "content-length": "18" });
    await client.send("x".repeat(1_000));
    await client.closed;
    expect(client.leftover()).to.equal("");
  });

  it("lets go of a client that hangs up", async () => {
    await client.sendHead({ "content-length": 1_000 });
    await client.read();
    const started = performance.now();
    client.destroy();
    await server.close();
    expect(performance.now() - started).to.be.below(700);
  });
});
