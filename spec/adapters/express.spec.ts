import { expect } from "chai";
import express5 from "express";
import express4 from "express4";
import { expressHandler } from "../../src/adapters/express.ts";
import { RecordingEndpoint } from "../support/endpoint.ts";
import { RawHttp } from "../support/raw-http.ts";
import { startServer, type TestServer } from "../support/server.ts";

const REFUSED = '{"received":false}';
/** White space and escapes that no serialiser would give back. */
const BODY = '{ "año":\t"\\u00e9—😀" }\n';
const JSON_POST = { method: "POST", headers: { "content-type": "application/json" }, body: BODY };

/** Body-parser 1, of Express 4, sets `req.body` to `{}` on what it skips; body-parser 2 leaves it alone. */
const VERSIONS = { 4: express4, 5: express5 };

for (const [version, express] of Object.entries(VERSIONS)) {
  describe(`expressHandler in Express ${version}`, () => {
    let endpoint: RecordingEndpoint;
    let app: ReturnType<typeof express5>;
    let server: TestServer | undefined;

    beforeEach(() => {
      endpoint = new RecordingEndpoint();
      app = express();
    });

    afterEach(async () => {
      await server?.close();
      server = undefined;
    });

    const post = async (path: string, init: RequestInit = JSON_POST): Promise<[number, string]> => {
      server ??= await startServer(app);
      const response = await fetch(server.url + path, init);
      return [response.status, await response.text()];
    };

    it("reads the raw body itself", async () => {
      app.post("/hooks", expressHandler(endpoint));
      expect(await post("/hooks")).to.deep.equal([200, '{"received":true}']);
      expect(endpoint.texts()).to.deep.equal([BODY]);
    });

    it("hands over the URL as it was sent, and the path within the mount", async () => {
      const router = express.Router();
      router.use("/conekta", expressHandler(endpoint));
      app.use("/webhooks", router);
      expect(await post("/webhooks/conekta/mx?a=b")).to.deep.equal([200, '{"received":true}']);
      expect(endpoint.heads[0]).to.include({ url: "/webhooks/conekta/mx?a=b", path: "/mx" });
    });

    it("compares `path` with the whole of the URL's path, and leaves others to next", async () => {
      app.use("/webhooks", expressHandler(endpoint, { path: "/webhooks/stripe" }));
      app.use((_req, res) => {
        res.status(418).end("next");
      });
      expect(await post("/webhooks/stripe")).to.deep.equal([200, '{"received":true}']);
      expect(await post("/webhooks/other")).to.deep.equal([418, "next"]);
      expect(await post("/stripe")).to.deep.equal([418, "next"]);
    });

    it("leaves the body to the next handler when the request is not the endpoint's", async () => {
      endpoint.respond = () => Promise.resolve(undefined);
      app.use(expressHandler(endpoint), express.json(), (req, res) => {
        res.json(req.body);
      });
      expect(await post("/")).to.deep.equal([200, JSON.stringify(JSON.parse(BODY))]);
    });

    it("answers instead of Express's error handler when something goes wrong", async () => {
      let handled = 0;
      endpoint.respond = () => Promise.reject(new Error("secret"));
      app.use(expressHandler(endpoint));
      app.use((_error: unknown, _req: unknown, _res: unknown, next: () => void) => {
        handled += 1;
        next();
      });
      expect(await post("/")).to.deep.equal([500, REFUSED]);
      expect(handled).to.equal(0);
    });

    it("serves the next request on the same connection", async () => {
      app.post("/hooks", expressHandler(endpoint));
      server = await startServer(app);
      const client = await RawHttp.connect(server.port);
      for (const body of ["[1]", "[2]"]) {
        await client.sendHead({ "content-length": 3 }, "/hooks");
        await client.send(body);
        expect(await client.read()).to.include({ status: 200 });
      }
      expect(endpoint.texts()).to.deep.equal(["[1]", "[2]"]);
      client.destroy();
    });

    describe("after a body parser", () => {
      it("takes the bytes of express.raw()", async () => {
        app.post("/", express.raw({ type: "*/*" }), expressHandler(endpoint));
        expect(await post("/")).to.deep.equal([200, '{"received":true}']);
        expect(endpoint.texts()).to.deep.equal([BODY]);
      });

      it("takes the text of express.text()", async () => {
        app.post("/", express.text({ type: "*/*" }), expressHandler(endpoint));
        expect(await post("/")).to.deep.equal([200, '{"received":true}']);
        expect(endpoint.texts()).to.deep.equal([BODY]);
      });

      it("takes the bytes that a `verify` hook kept as req.rawBody, before the parsed body", async () => {
        const verify = (req: object, _res: unknown, bytes: Buffer): void => {
          Object.assign(req, { rawBody: bytes });
        };
        app.post("/", express.json({ verify }), expressHandler(endpoint));
        expect(await post("/")).to.deep.equal([200, '{"received":true}']);
        expect(endpoint.texts()).to.deep.equal([BODY]);
      });

      it("reads a body that the parsers skipped, whatever they set req.body to", async () => {
        app.use(express.json(), express.urlencoded({ extended: false }), expressHandler(endpoint));
        expect(await post("/", { method: "POST", body: BODY })).to.deep.equal([200, '{"received":true}']);
        expect(await post("/", { method: "POST" })).to.deep.equal([200, '{"received":true}']);
        expect(endpoint.texts()).to.deep.equal([BODY, ""]);
      });

      it("refuses a body of express.raw() beyond `maxBodyBytes`", async () => {
        endpoint.maxBodyBytes = 4;
        app.post("/", express.raw({ type: "*/*" }), expressHandler(endpoint));
        expect(await post("/")).to.deep.equal([413, REFUSED]);
      });

      for (const [title, parser, init] of [
        ["express.json()", express.json(), JSON_POST],
        [
          "express.urlencoded()",
          express.urlencoded({ extended: false }),
          { method: "POST", body: new URLSearchParams("a=b") },
        ],
      ] as const) {
        it(`answers 500 to a body that ${title} parsed, and tells the operator once which line to change`, async () => {
          app.use(parser);
          app.post("/", expressHandler(endpoint));
          expect(await post("/", init)).to.deep.equal([500, REFUSED]);
          expect(endpoint.bodies).to.deep.equal([]);
          expect(endpoint.errors).to.have.length(1);
          expect(endpoint.errors[0]?.message).to.include("mount the handler before app.use(express.json())");
          expect(endpoint.errors[0]?.message).to.include('express.raw({ type: "*/*" }) on this route');
          expect(endpoint.errors[0]?.fields).to.deep.equal({ code: "HOOKBUS_RAW_BODY_UNAVAILABLE" });
        });
      }
    });
  });
}
