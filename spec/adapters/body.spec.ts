import type { IncomingMessage } from "node:http";
import { expect } from "chai";
import { nodeHandler } from "../../src/adapters/node.ts";
import { RecordingEndpoint } from "../support/endpoint.ts";
import { startServer, type TestServer } from "../support/server.ts";

const BODY = "{ é }";

describe("finding the raw body", () => {
  let endpoint: RecordingEndpoint;
  let server: TestServer;
  let before: (req: IncomingMessage & { rawBody?: unknown; body?: unknown }) => void | Promise<void>;

  beforeEach(async () => {
    endpoint = new RecordingEndpoint();
    const handler = nodeHandler(endpoint);
    server = await startServer(async (req, res) => {
      await before(req);
      await handler(req, res);
    });
  });

  afterEach(() => server.close());

  const post = async (): Promise<number> => (await fetch(server.url, { method: "POST", body: BODY })).status;

  const consume = async (req: IncomingMessage): Promise<Buffer> => Buffer.concat(await req.toArray());

  const kept: Record<string, (bytes: Buffer) => unknown> = {
    "a Buffer": (bytes) => bytes,
    "a Uint8Array": (bytes) => new Uint8Array(bytes),
    "a string": (bytes) => bytes.toString(),
  };

  for (const field of ["rawBody", "body"] as const) {
    for (const [title, keep] of Object.entries(kept)) {
      it(`takes ${title} in req.${field} of a request that was read`, async () => {
        before = async (req) => {
          req[field] = keep(await consume(req));
        };
        expect(await post()).to.equal(200);
        expect(endpoint.texts()).to.deep.equal([BODY]);
      });
    }

    it(`refuses bytes in req.${field} beyond \`maxBodyBytes\``, async () => {
      endpoint.maxBodyBytes = 5;
      before = async (req) => {
        req[field] = (await consume(req)).toString();
      };
      // Six bytes, five characters.
      expect(await post()).to.equal(413);
    });
  }

  it("takes an empty req.rawBody for an empty body", async () => {
    before = async (req) => {
      await consume(req);
      req.rawBody = Buffer.alloc(0);
      req.body = "another";
    };
    expect(await post()).to.equal(200);
    expect(endpoint.texts()).to.deep.equal([""]);
  });

  for (const [title, body] of Object.entries({
    "an object": {},
    "a string": "another",
    "a Buffer": Buffer.from("x"),
  })) {
    it(`reads a stream that nobody read, although req.body is ${title}`, async () => {
      before = (req) => {
        req.body = body;
      };
      expect(await post()).to.equal(200);
      expect(endpoint.texts()).to.deep.equal([BODY]);
    });
  }

  for (const [title, body] of Object.entries({
    nothing: undefined,
    null: null,
    "an object": { a: 1 },
    "a number": 5,
  })) {
    it(`refuses a stream that was read, with ${title} in req.body, and says what to hand over`, async () => {
      before = async (req) => {
        await consume(req);
        req.body = body;
      };
      expect(await post()).to.equal(500);
      expect(endpoint.bodies).to.deep.equal([]);
      expect(endpoint.errors.map(({ message }) => message)).to.deep.equal([
        "the body was read before hookbus saw it, and its raw bytes are gone. " +
          "Node: hand the request over unread, or hand over its raw bytes as req.rawBody",
      ]);
    });
  }
});
