import { createServer } from "node:https";
import { inspect } from "node:util";
import { expect } from "chai";
import nock from "nock";
import { ProviderUnavailableError, RetrievalRefusedError, UnknownEventError } from "../../src/errors.ts";
import { conekta } from "../../src/providers/conekta.ts";
import { classifyConektaError } from "../../src/providers/conekta-retrieval.ts";
import type { FetchOptions, Retrieval } from "../../src/providers/provider.ts";
import { listen } from "../support/server.ts";
import { type ApiServer, answer, rejection, startApi } from "./api-server.ts";
import { fixture } from "./fixture.ts";
import { SELF_SIGNED } from "./self-signed.ts";

const ID = "637e79cb70d06300013ea161";
const EVENT = fixture("conekta/charge.paid.json");

// It patches node:http when it is imported: only where it is wanted.
nock.restore();

function retrievalOf(apiBase?: string): Retrieval {
  return conekta({ apiBase }).retrieval ?? expect.fail("Conekta's events can be fetched");
}

function options(more: Partial<FetchOptions> = {}): FetchOptions {
  return { apiKey: "key_1", timeoutMs: 2000, signal: new AbortController().signal, params: { id: ID }, ...more };
}

describe("conekta, retrieving", () => {
  const retrieval = retrievalOf();

  it("fetches back whenever there is an API key", () => {
    expect(retrieval.when).to.equal("api-key");
  });

  it("does not fetch the farewell of an account", () => {
    expect(retrieval.unfetchable).to.deep.equal(["account.application.deauthorized"]);
  });

  it("knows an event's id", () => {
    for (const id of [ID, "evt_customer_created", "evt_charge-paid", "x".repeat(64)])
      expect(id).to.match(retrieval.idPattern);
    const odd = ["", "a/b", "..", "a?b", "ä", "a b", "a\n", "a%2f", "x".repeat(65)];
    for (const id of odd) expect(id, id).not.to.match(retrieval.idPattern);
  });

  it("takes no account from the body", () => {
    expect(retrieval.account).to.equal(undefined);
  });

  it("asks Conekta unless told otherwise", async () => {
    nock.activate();
    nock("https://api.conekta.io", { reqheaders: { authorization: "Bearer key_1" } })
      .get(`/events/${ID}`)
      .reply(200, EVENT);
    try {
      expect(await retrieval.fetch(ID, options())).to.deep.equal(EVENT);
      expect(nock.isDone()).to.equal(true);
    } finally {
      nock.cleanAll();
      nock.restore();
    }
  });

  it("trusts no certificate that nobody vouches for", async () => {
    let asked = 0;
    const impostor = createServer(SELF_SIGNED, (_request, response) => {
      asked++;
      response.end(JSON.stringify(EVENT));
    });
    const server = await listen(impostor);
    try {
      const error = await rejection(retrievalOf(`https://127.0.0.1:${server.port}`).fetch(ID, options()));
      expect(error).to.have.property("code", "DEPTH_ZERO_SELF_SIGNED_CERT");
      expect(classifyConektaError(error)).to.be.instanceOf(ProviderUnavailableError);
      expect(asked).to.equal(0);
    } finally {
      await server.close();
    }
  });

  describe("from an API", () => {
    let api: ApiServer;
    let local: Retrieval;
    before(async () => {
      api = await startApi();
      local = retrievalOf(`${api.url}/`);
    });
    after(() => api.close());
    beforeEach(() => {
      (api.requests as unknown[]).length = 0;
      api.reply = answer(200, EVENT);
    });

    const failure = async (more?: Partial<FetchOptions>): Promise<Error> => {
      return classifyConektaError(await rejection(local.fetch(ID, options(more)))) ?? expect.fail("not classified");
    };

    it("fetches an event", async () => {
      expect(await local.fetch(ID, options())).to.deep.equal(EVENT);
      expect(api.requests[0]).to.deep.include({ method: "GET", url: `/events/${ID}` });
      expect(api.requests[0]?.headers).to.include({ authorization: "Bearer key_1" });
      expect(api.requests[0]?.headers).not.to.have.any.keys("accept-language", "x-child-company-id");
    });

    it("fetches for a child company", async () => {
      await local.fetch(ID, options({ account: "company_1" }));
      expect(api.requests[0]?.headers).to.include({ "x-child-company-id": "company_1" });
    });

    it("keeps the path of an `apiBase`", async () => {
      await retrievalOf(`${api.url}/mock//`).fetch(ID, options());
      expect(api.requests[0]?.url).to.equal(`/mock/events/${ID}`);
    });

    it("tells an unknown id", async () => {
      api.reply = answer(404, fixture("evt_invalid_id.json"));
      const error = await failure();
      expect(error).to.be.instanceOf(UnknownEventError);
      expect(error.message).to.equal("Conekta knows no event of this id");
      expect(error.cause).to.include({ status: 404, code: "ERR_BAD_REQUEST" });
      expect(error.cause).to.have.property("message", "Request failed with status code 404");
    });

    it("tells a key of ours that is refused", async () => {
      for (const status of [400, 401, 403, 422]) {
        api.reply = answer(status, { object: "error", type: "authentication_error" });
        const error = await failure();
        expect(error).to.be.instanceOf(RetrievalRefusedError);
        expect(error.message).to.equal(`Conekta refused to let us fetch the event (status ${status})`);
        expect(error.cause).to.have.property("status", status);
      }
    });

    it("tells an API that is down or limits us, once and at once", async () => {
      for (const status of [408, 409, 429, 500, 502, 503]) {
        (api.requests as unknown[]).length = 0;
        api.reply = answer(status, "<h1>down</h1>", { "retry-after": "17" });
        const error = await failure();
        expect(error).to.be.instanceOf(ProviderUnavailableError);
        const message = `Conekta's API answered ${status}`;
        expect(error).to.include({ message, retryAfterSeconds: 17, rateLimited: status === 429 });
        expect(error.cause).to.have.property("status", status);
        expect(api.requests).to.have.length(1);
      }
      api.reply = answer(503, {});
      expect(await failure()).to.have.property("retryAfterSeconds", 5);
    });

    it("tells nonsense", async () => {
      for (const body of ["", "<html>", "null", "5", '"x"', "[]", "true", '{"id":']) {
        api.reply = answer(200, body);
        const error = await rejection(local.fetch(ID, options()));
        expect(error, body).to.be.instanceOf(ProviderUnavailableError);
        expect(error).to.have.property("message", "Conekta's API answered nonsense");
        expect(classifyConektaError(error)).to.equal(error);
      }
    });

    it("follows no redirect", async () => {
      api.reply = answer(302, "", { location: `${api.url}/elsewhere` });
      const error = await failure();
      expect(error).to.be.instanceOf(ProviderUnavailableError);
      expect(api.requests).to.have.length(1);
    });

    it("takes no answer without end", async () => {
      const mebibyte = Buffer.alloc(1024 * 1024, " ");
      const reply = (count: number) => (response: import("node:http").ServerResponse) => {
        for (let sent = 0; sent < count; sent++) response.write(mebibyte);
        response.end("{}");
      };
      api.reply = reply(7);
      expect(await local.fetch(ID, options({ timeoutMs: 5000 }))).to.deep.equal({});
      api.reply = reply(8);
      expect(await failure({ timeoutMs: 5000 })).to.be.instanceOf(ProviderUnavailableError);
    });

    it("tells a time-out", async () => {
      api.reply = () => {};
      const error = await failure({ timeoutMs: 50 });
      expect(error).to.be.instanceOf(ProviderUnavailableError);
      expect(error.message).to.equal("Conekta's API could not be reached");
      expect(error.cause).to.have.property("message", "timeout of 50ms exceeded");
    });

    it("stops when the guard gives up", async () => {
      const guard = new AbortController();
      const gone = new Promise<void>((resolve) => {
        api.reply = (_response, request) => {
          request.socket.once("close", () => resolve());
          guard.abort();
        };
      });
      const error = await failure({ signal: guard.signal });
      expect(error).to.be.instanceOf(ProviderUnavailableError);
      expect(error.cause).to.have.property("code", "ERR_CANCELED");
      await gone;
    });

    it("tells an answer that breaks off, and a connection that is reset", async () => {
      api.reply = (response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write('{"id":', () => response.destroy());
      };
      expect(await failure()).to.be.instanceOf(ProviderUnavailableError);
      api.reply = (response) => response.socket?.resetAndDestroy();
      expect((await failure()).cause).to.have.property("code", "ECONNRESET");
    });

    it("lets nothing of the request into an error", async () => {
      api.reply = answer(401, { secret: "of-the-answer" });
      const error = await failure({ apiKey: "key_topsecret" });
      expect(inspect(error, { depth: 20, showHidden: true })).not.to.match(/topsecret|of-the-answer/);
    });
  });

  it("tells a connection that is refused", async () => {
    const api = await startApi();
    await api.close();
    const error = classifyConektaError(await rejection(retrievalOf(api.url).fetch(ID, options())));
    expect(error).to.be.instanceOf(ProviderUnavailableError);
    expect(error?.cause).to.have.property("code", "ECONNREFUSED");
  });

  it("has no opinion of errors that are not the SDK's", () => {
    const odd = [new Error("x"), Object.assign(new Error("x"), { isAxiosError: "true" }), { isAxiosError: true }];
    for (const error of [...odd, new UnknownEventError("x"), null, undefined, "x"]) {
      expect(classifyConektaError(error)).to.equal(undefined);
    }
  });
});
