import { expect } from "chai";
import nock from "nock";
import Stripe from "stripe";
import { ProviderUnavailableError, RetrievalRefusedError, UnknownEventError } from "../../src/errors.ts";
import type { FetchOptions, Retrieval } from "../../src/providers/provider.ts";
import { stripe } from "../../src/providers/stripe.ts";
import { classifyStripeError } from "../../src/providers/stripe-retrieval.ts";
import { type ApiServer, answer, rejection, startApi } from "./api-server.ts";
import { fixture } from "./fixture.ts";

const ID = "evt_1PgafmB7WZ01zgkWchargeSucc";
const EVENT = fixture("stripe/charge.succeeded.json");
const THIN = fixture("stripe/v1.billing.meter.error_report_triggered.json");
const NO_SUCH_EVENT = {
  error: { type: "invalid_request_error", code: "resource_missing", param: "id", message: "No such event: 'evt_x'" },
};

// It patches node:http when it is imported: only where it is wanted.
nock.restore();

function retrievalOf(options: Parameters<typeof stripe>[0]): Retrieval {
  return stripe(options).retrieval ?? expect.fail("Stripe's events can be fetched");
}

function options(more: Partial<FetchOptions> = {}): FetchOptions {
  return { apiKey: "sk_test_1", timeoutMs: 2000, signal: new AbortController().signal, params: { id: ID }, ...more };
}

describe("stripe, retrieving", () => {
  const retrieval = retrievalOf({});

  it("fetches back where there is no signing secret", () => {
    expect(retrieval.when).to.equal("no-secret");
  });

  it("does not fetch the farewell of an account", () => {
    expect(retrieval.unfetchable).to.deep.equal([
      "account.application.deauthorized",
      "v1.account.application.deauthorized",
    ]);
  });

  it("knows an event's id", () => {
    const good = [ID, "evt_00000000000000", "evt_customer_created", "evt_a-b", `evt_${"x".repeat(251)}`];
    for (const id of good) expect(id).to.match(retrieval.idPattern);
    const odd = [
      "evt_",
      "ch_1",
      "xevt_1",
      "evt_1/..",
      "evt_1?a",
      "evt_ü",
      "evt_1\n",
      "EVT_1",
      `evt_${"x".repeat(252)}`,
    ];
    for (const id of odd) expect(id).not.to.match(retrieval.idPattern);
  });

  it("takes the account of a snapshot event, if it has the form of one", () => {
    const account = (value: unknown) => retrieval.account?.({ account: value, context: "acct_other" });
    expect(account("acct_1A2b")).to.equal("acct_1A2b");
    expect(account(`acct_${"x".repeat(64)}`)).to.equal(`acct_${"x".repeat(64)}`);
    const odd = ["acct_", "acct_1\r\nx: y", "acct_1/acct_2", "xacct_1", "org_1", "", 5, null, undefined, ["acct_1"]];
    for (const value of [...odd, `acct_${"x".repeat(65)}`]) expect(account(value)).to.equal(undefined);
  });

  it("takes the context of a thin event, if it has the form of one", () => {
    const context = (value: unknown) => {
      return retrieval.account?.({ object: "v2.core.event", context: value, account: "acct_other" });
    };
    for (const good of ["acct_1", "org_1Ab/acct_2Cd", "a_1/b_2/c_3/d_4"]) expect(context(good)).to.equal(good);
    const odd = ["acct", "_1", "/acct_1", "acct_1/", "acct_1//acct_2", "acct_1\n", "a_1/b_2/c_3/d_4/e_5", 5, null];
    for (const value of odd) expect(context(value), String(value)).to.equal(undefined);
  });

  it("asks Stripe unless told otherwise, on the usual port", async () => {
    nock.activate();
    try {
      for (const origin of [
        "https://api.stripe.com",
        "https://stand-in.test",
        "http://stand-in.test",
        "http://[::1]:81",
      ]) {
        const asked = nock(origin, {
          reqheaders: { authorization: "Bearer sk_test_1" },
        });
        asked.get(`/v1/events/${ID}`).reply(200, EVENT);
        const at = retrievalOf(origin === "https://api.stripe.com" ? {} : { apiBase: origin });
        expect(await at.fetch(ID, options()), origin).to.deep.equal(EVENT);
        expect(asked.isDone()).to.equal(true);
      }
    } finally {
      nock.cleanAll();
      nock.restore();
    }
  });

  describe("from an API", () => {
    let api: ApiServer;
    let local: Retrieval;
    before(async () => {
      api = await startApi();
    });
    after(() => api.close());
    beforeEach(() => {
      local = retrievalOf({ apiBase: api.url });
      (api.requests as unknown[]).length = 0;
      api.reply = answer(200, EVENT);
    });

    const failure = async (more?: Partial<FetchOptions>): Promise<unknown> => {
      return classifyStripeError(await rejection(local.fetch(ID, options(more))));
    };

    it("fetches a snapshot event", async () => {
      expect(await local.fetch(ID, options())).to.deep.equal(EVENT);
      const [request] = api.requests;
      expect(request).to.deep.include({ method: "GET", url: `/v1/events/${ID}` });
      expect(request?.headers).to.include({ authorization: "Bearer sk_test_1" });
      expect(request?.headers).not.to.have.any.keys("stripe-account", "stripe-context", "x-stripe-client-telemetry");
    });

    it("fetches on behalf of an account", async () => {
      await local.fetch(ID, options({ account: "acct_1" }));
      expect(api.requests[0]?.headers).to.include({ "stripe-account": "acct_1" });
      expect(api.requests[0]?.headers).not.to.have.any.keys("stripe-context");
    });

    it("fetches a thin event, and leaves out the SDK's function", async () => {
      api.reply = answer(200, THIN);
      const params = { object: "v2.core.event" };
      expect(await local.fetch("evt_2", options({ params, account: "acct_1" }))).to.deep.equal(THIN);
      expect(api.requests[0]).to.deep.include({ method: "GET", url: "/v2/core/events/evt_2" });
      expect(api.requests[0]?.headers).to.include({ "stripe-context": "acct_1" });
      expect(api.requests[0]?.headers).not.to.have.any.keys("stripe-account");
      await local.fetch("evt_2", options({ params }));
      expect(api.requests[1]?.headers).not.to.have.any.keys("stripe-account", "stripe-context");
    });

    it("fetches in the API version that was asked for", async () => {
      local = retrievalOf({ apiBase: api.url, apiVersion: "2020-08-27" });
      await local.fetch(ID, options());
      expect(api.requests[0]?.headers).to.include({ "stripe-version": "2020-08-27" });
    });

    it("sends no telemetry with later requests", async () => {
      api.reply = answer(200, EVENT, { "request-id": "req_1" });
      await local.fetch(ID, options());
      await local.fetch(ID, options());
      expect(api.requests[1]?.headers).not.to.have.any.keys("x-stripe-client-telemetry");
    });

    it("uses each API key that it is given", async () => {
      for (let key = 0; key < 10; key++) await local.fetch(ID, options({ apiKey: `sk_test_${key}` }));
      await local.fetch(ID, options({ apiKey: "sk_test_0" }));
      const keys = api.requests.map((request) => request.headers.authorization);
      expect(keys).to.deep.equal([...Array(10).keys(), 0].map((key) => `Bearer sk_test_${key}`));
    });

    it("makes one client for each key, and keeps eight", async () => {
      const { default: sdk } = await import("stripe");
      const { createNodeHttpClient } = sdk;
      let made = 0;
      sdk.createNodeHttpClient = (agent) => {
        made++;
        return createNodeHttpClient(agent);
      };
      try {
        const use = async (...keys: number[]): Promise<number> => {
          const before = made;
          await Promise.all(keys.map((key) => local.fetch(ID, options({ apiKey: `sk_test_${key}` }))));
          return made - before;
        };
        expect(await use(1, 1, 1)).to.equal(1);
        expect(await use(2, 3, 4, 5, 6, 7, 8)).to.equal(7);
        expect(await use(1, 2, 3, 4, 5, 6, 7, 8)).to.equal(0);
        expect(await use(9)).to.equal(1);
        expect(await use(2, 3, 4, 5, 6, 7, 8, 9)).to.equal(0);
        expect(await use(1)).to.equal(1);
        expect(await use(3, 9)).to.equal(0);
      } finally {
        sdk.createNodeHttpClient = createNodeHttpClient;
      }
    });

    it("uses a client of the user's, with its own key, and without its retries", async () => {
      const { hostname, port } = new URL(api.url);
      const client = new Stripe("sk_test_own", { host: hostname, port, protocol: "http", maxNetworkRetries: 3 });
      local = retrievalOf({ client });
      await local.fetch(ID, options());
      expect(api.requests[0]?.headers).to.include({ authorization: "Bearer sk_test_own" });
      api.reply = answer(500, { error: { message: "down" } });
      await rejection(local.fetch(ID, options()));
      expect(api.requests).to.have.length(2);
    });

    it("does not begin when the guard has given up", async () => {
      const error = await rejection(local.fetch(ID, options({ signal: AbortSignal.abort(new Error("too late")) })));
      expect(error).to.have.property("message", "too late");
      expect(api.requests).to.have.length(0);
      expect(classifyStripeError(error)).to.equal(undefined);
    });

    it("tells an unknown id", async () => {
      api.reply = answer(404, NO_SUCH_EVENT);
      const error = await failure();
      expect(error).to.be.instanceOf(UnknownEventError);
      expect(error).to.have.property("message", "Stripe knows no event of this id");
      expect((error as Error).cause).to.have.property("statusCode", 404);
    });

    it("tells a key of ours that is refused", async () => {
      for (const status of [400, 401, 402, 403]) {
        api.reply = answer(status, { error: { type: "invalid_request_error", message: "no" } });
        const error = await failure();
        expect(error).to.be.instanceOf(RetrievalRefusedError);
        expect(error).to.have.property("message", `Stripe refused to let us fetch the event (status ${status})`);
        expect((error as Error).cause).to.have.property("statusCode", status);
      }
    });

    it("tells an account that is not ours from a key that is refused", async () => {
      api.reply = answer(403, { error: { type: "invalid_request_error", code: "account_invalid", message: "no" } });
      const error = await rejection(local.fetch(ID, options({ account: "acct_1" })));
      const unknown = classifyStripeError(error, { account: "acct_1" });
      expect(unknown).to.be.instanceOf(UnknownEventError);
      expect(unknown).to.have.property("message", "Stripe does not let us see the account that the body names");
      expect(unknown?.cause).to.equal(error);
      expect(classifyStripeError(error, {})).to.be.instanceOf(RetrievalRefusedError);
      api.reply = answer(401, { error: { message: "no" } });
      const badKey = await rejection(local.fetch(ID, options({ account: "acct_1" })));
      expect(classifyStripeError(badKey, { account: "acct_1" })).to.be.instanceOf(RetrievalRefusedError);
    });

    it("tells an API that is down or limits us, once and at once", async () => {
      for (const status of [408, 409, 429, 500, 502, 503, 504]) {
        (api.requests as unknown[]).length = 0;
        api.reply = answer(status, { error: { type: "api_error", message: "down" } }, { "retry-after": "17" });
        const error = await failure();
        expect(error).to.be.instanceOf(ProviderUnavailableError);
        const message = `Stripe's API answered ${status}`;
        expect(error).to.include({ message, retryAfterSeconds: 17, rateLimited: status === 429 });
        expect((error as Error).cause).to.have.property("statusCode", status);
        expect(api.requests).to.have.length(1);
      }
      api.reply = answer(400, { error: { code: "rate_limit", message: "slow down" } });
      const limited = await failure();
      expect(limited).to.be.instanceOf(ProviderUnavailableError);
      expect(limited).to.have.property("rateLimited", true);
    });

    it("takes a moment of its own where the API names none", async () => {
      api.reply = answer(503, { error: { message: "down" } });
      expect(await failure()).to.have.property("retryAfterSeconds", 5);
    });

    it("reads the status and Retry-After of a proxy's page", async () => {
      for (const body of ["<h1>Bad gateway</h1>", "{}", "null", "[]", '"down"', '{"error":5}', '{"error":null}']) {
        for (const status of [429, 500, 503]) {
          api.reply = answer(status, body, { "retry-after": "9" });
          const error = await failure();
          const message = `Stripe's API answered ${status}`;
          expect(error, body).to.include({ message, retryAfterSeconds: 9 });
          expect((error as Error).cause).to.have.property("message", message);
        }
      }
    });

    it("tells nonsense", async () => {
      for (const body of ["", "<html>", "null", "5", '"x"', "[]", "true", '{"id":', '{"error":5}']) {
        for (const status of [200, 401, 404]) {
          api.reply = answer(status, body);
          const error = await failure();
          expect(error, `${status} ${body}`).to.be.instanceOf(ProviderUnavailableError);
          expect(error).to.have.property("message", "Stripe's API could not be reached, or answered nonsense");
        }
      }
      api.reply = answer(404, {});
      expect(await failure()).to.be.instanceOf(ProviderUnavailableError);
      api.reply = answer(400, {});
      expect(await failure()).to.be.instanceOf(ProviderUnavailableError);
    });

    it("tells an error in the old form", async () => {
      api.reply = answer(401, { error: "invalid_client", error_description: "no" });
      expect(await failure()).to.be.instanceOf(RetrievalRefusedError);
      api.reply = answer(200, { error: "odd" });
      expect(await failure()).to.be.instanceOf(ProviderUnavailableError);
    });

    it("tells a time-out", async () => {
      api.reply = () => {};
      const started = Date.now();
      const error = await failure({ timeoutMs: 49.5 });
      expect(Date.now() - started).to.be.within(40, 1000);
      expect(error).to.be.instanceOf(ProviderUnavailableError);
      expect((error as Error).cause).to.have.property("message", "Request aborted due to timeout being reached (50ms)");
      const least = await failure({ timeoutMs: 0 });
      expect((least as Error).cause).to.have.property("message", "Request aborted due to timeout being reached (1ms)");
    });

    it("tells an answer that breaks off", async () => {
      api.reply = (response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write('{"id":', () => response.destroy());
      };
      expect(await failure()).to.be.instanceOf(ProviderUnavailableError);
      api.reply = (response) => {
        response.writeHead(500, { "content-length": "100" });
        response.write('{"id":', () => response.destroy());
      };
      expect(await failure()).to.have.property("message", "Stripe's API could not be reached, or answered nonsense");
    });

    it("tells a connection that is reset", async () => {
      api.reply = (response) => response.socket?.resetAndDestroy();
      expect(await failure()).to.be.instanceOf(ProviderUnavailableError);
    });
  });

  it("tells a connection that is refused", async () => {
    const api = await startApi();
    await api.close();
    const error = classifyStripeError(await rejection(retrievalOf({ apiBase: api.url }).fetch(ID, options())));
    expect(error).to.be.instanceOf(ProviderUnavailableError);
    expect(error).to.have.property("message", "Stripe's API could not be reached, or answered nonsense");
  });

  it("has no opinion of errors that are not the SDK's", () => {
    const odd = [new Error("x"), new UnknownEventError("x"), Object.assign(new Error("x"), { statusCode: 404 })];
    for (const error of [...odd, null, undefined, "x", { rawType: "", requestId: "", statusCode: 404 }]) {
      expect(classifyStripeError(error)).to.equal(undefined);
    }
  });
});
