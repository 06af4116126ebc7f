import { inspect } from "node:util";
import { expect } from "chai";
import {
  ConfigurationError,
  PayloadError,
  ProviderUnavailableError,
  RetrievalRefusedError,
  UnknownEventError,
} from "../../src/errors.ts";
import { EventBus } from "../../src/event-bus.ts";
import { kopokopo } from "../../src/providers/kopokopo.ts";
import type { KopoKopoOptions } from "../../src/providers/kopokopo-retrieval.ts";
import type { FetchOptions, Retrieval } from "../../src/providers/provider.ts";
import { rejection } from "./api-server.ts";
import { requestOf } from "./deliver.ts";
import { fixture } from "./fixture.ts";

const EVENT = fixture("kopokopo/buygoods_transaction_received.json");
const ID = "2133dbfb-24b9-40fc-ae57-2d7559785760";
const SANDBOX = "https://sandbox.kopokopo.com";
const LIVE = "https://api.kopokopo.com";

interface Call {
  readonly url: string;
  readonly init: RequestInit;
}

/** A stand-in for the API: answers every token request, and events as `event` says. */
class Api {
  readonly calls: Call[] = [];
  token: () => Response | Promise<Response> = () => Response.json({ access_token: "tok_1", expires_in: 3600 });
  event: () => Response | Promise<Response> = () => Response.json(EVENT);
  now = 1_700_000_000_000;

  readonly fetch = async (url: unknown, init: RequestInit = {}): Promise<Response> => {
    this.calls.push({ url: String(url), init });
    return String(url).endsWith("/oauth/token") ? this.token() : this.event();
  };

  retrieval(more: KopoKopoOptions = {}): Retrieval {
    const options = { fetch: this.fetch as typeof fetch, now: () => this.now, ...more };
    return kopokopo(options).retrieval ?? expect.fail("Kopo Kopo's webhooks can be fetched");
  }

  get urls(): readonly string[] {
    return this.calls.map(({ url }) => url);
  }
}

function asked(self: unknown = `${SANDBOX}/webhook_events/${ID}`, more: Partial<FetchOptions> = {}): FetchOptions {
  const params = self === undefined ? { id: ID } : { id: ID, _links: { self } };
  return { apiKey: "client:secret", timeoutMs: 1000, signal: new AbortController().signal, params, ...more };
}

describe("kopokopo, retrieving", () => {
  it("fetches back only where there is no secret", () => {
    const { when, unfetchable, idPattern, account } = new Api().retrieval();
    expect({ when, unfetchable, account }).to.deep.equal({ when: "no-secret", unfetchable: [], account: undefined });
    expect(ID).to.match(idPattern);
    for (const odd of ["", "a/b", "..", "a?b", "ä", "a b", "a\n", "a%2f", "x".repeat(65)]) {
      expect(odd, odd).not.to.match(idPattern);
    }
  });

  it("gets a token, and with it the event", async () => {
    const api = new Api();
    expect(await api.retrieval().fetch(ID, asked())).to.deep.equal(EVENT);
    const [token, event] = api.calls;
    expect(api.urls).to.deep.equal([`${SANDBOX}/oauth/token`, `${SANDBOX}/webhook_events/${ID}`]);
    expect(token?.init).to.deep.include({
      method: "POST",
      redirect: "manual",
      headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
      body: "client_id=client&client_secret=secret&grant_type=client_credentials",
    });
    expect(event?.init).to.deep.include({
      redirect: "manual",
      headers: { accept: "application/json", authorization: "Bearer tok_1" },
    });
    expect(event?.init.method).to.equal(undefined);
  });

  it("splits the API key at its first colon", async () => {
    const api = new Api();
    await api.retrieval().fetch(ID, asked(undefined, { apiKey: "a&b:c:d" }));
    expect(api.calls[0]?.init.body).to.equal("client_id=a%26b&client_secret=c%3Ad&grant_type=client_credentials");
  });

  it("asks for nothing with an API key of another shape", async () => {
    for (const apiKey of ["client", ":secret", "client:", ""]) {
      const api = new Api();
      const error = await rejection(api.retrieval().fetch(ID, asked(undefined, { apiKey })));
      expect(error)
        .to.be.instanceOf(ConfigurationError)
        .with.property("message")
        .that.includes("clientId:clientSecret");
      expect(api.calls).to.deep.equal([]);
    }
  });

  it("asks the environment that the event names, each with a token of its own", async () => {
    const api = new Api();
    const retrieval = api.retrieval();
    await retrieval.fetch(ID, asked());
    await retrieval.fetch(ID, asked(`${LIVE}/webhook_events/${ID}`));
    await retrieval.fetch(ID, { ...asked(), params: { id: ID } });
    expect(api.urls).to.deep.equal([
      `${SANDBOX}/oauth/token`,
      `${SANDBOX}/webhook_events/${ID}`,
      `${LIVE}/oauth/token`,
      `${LIVE}/webhook_events/${ID}`,
      `${LIVE}/webhook_events/${ID}`,
    ]);
  });

  it("asks nobody but Kopo Kopo for that very event", async () => {
    for (const self of [
      `https://evil.test/webhook_events/${ID}`,
      `https://api.kopokopo.com.evil.test/webhook_events/${ID}`,
      `https://api.kopokopo.com@evil.test/webhook_events/${ID}`,
      `https://api.kopokopo.com:444/webhook_events/${ID}`,
      `http://api.kopokopo.com/webhook_events/${ID}`,
      `//api.kopokopo.com/webhook_events/${ID}`,
      `${LIVE}/webhook_events/another`,
      `${LIVE}/webhook_events/../payments/${ID}`,
      `${LIVE}/webhook_events/${ID}/../${ID}`,
      `${LIVE}/webhook_events/${ID}?a`,
      `${LIVE}/webhook_events/${ID}#a`,
      `${LIVE}/api/v1/payments/${ID}`,
      `http://169.254.169.254/webhook_events/${ID}`,
      "",
      null,
      5,
    ]) {
      const api = new Api();
      const error = await rejection(api.retrieval().fetch(ID, asked(self)));
      expect(error, String(self)).to.be.instanceOf(PayloadError);
      expect(api.calls, String(self)).to.deep.equal([]);
    }
  });

  it("asks only where `apiBase` says", async () => {
    const api = new Api();
    const retrieval = api.retrieval({ apiBase: `${SANDBOX}/` });
    await retrieval.fetch(ID, asked());
    await retrieval.fetch(ID, { ...asked(), params: { id: ID } });
    expect(new Set(api.urls)).to.deep.equal(new Set([`${SANDBOX}/oauth/token`, `${SANDBOX}/webhook_events/${ID}`]));
    const error = await rejection(retrieval.fetch(ID, asked(`${LIVE}/webhook_events/${ID}`)));
    expect(error).to.be.instanceOf(PayloadError);
    for (const apiBase of [
      "",
      "api.kopokopo.com",
      "ftp://a",
      "http://a/b",
      "http://a/?b",
      "http://u@a",
      "http://a/#b",
    ]) {
      expect(() => kopokopo({ apiBase }), apiBase).to.throw(
        ConfigurationError,
        "`apiBase` must be an http or https origin",
      );
    }
  });

  it("keeps a token until a minute before its end", async () => {
    const api = new Api();
    const retrieval = api.retrieval();
    const tokens = (): number => api.urls.filter((url) => url.endsWith("/oauth/token")).length;
    await retrieval.fetch(ID, asked());
    api.now += 3_539_999;
    await retrieval.fetch(ID, asked());
    expect(tokens()).to.equal(1);
    api.now += 1;
    await retrieval.fetch(ID, asked());
    expect(tokens()).to.equal(2);
    await retrieval.fetch(ID, asked(undefined, { apiKey: "other:secret" }));
    expect(tokens()).to.equal(3);
    api.token = () => Response.json({ access_token: "tok_2" });
    await retrieval.fetch(ID, asked(undefined, { apiKey: "third:secret" }));
    await retrieval.fetch(ID, asked(undefined, { apiKey: "third:secret" }));
    expect(tokens()).to.equal(5);
  });

  it("gets another token where the one it has is refused, once", async () => {
    const api = new Api();
    const retrieval = api.retrieval();
    await retrieval.fetch(ID, asked());
    const answers = [new Response("", { status: 401 }), Response.json(EVENT)];
    api.event = () => answers.shift() ?? expect.fail("asked too often");
    api.token = () => Response.json({ access_token: "tok_2", expires_in: 3600 });
    expect(await retrieval.fetch(ID, asked())).to.deep.equal(EVENT);
    expect(api.calls.at(-1)?.init.headers).to.include({ authorization: "Bearer tok_2" });
    api.event = () => new Response("", { status: 401 });
    const before = api.calls.length;
    expect(await rejection(retrieval.fetch(ID, asked()))).to.be.instanceOf(RetrievalRefusedError);
    expect(api.calls.length - before).to.equal(3);
    const fresh = new Api();
    fresh.event = api.event;
    expect(await rejection(fresh.retrieval().fetch(ID, asked()))).to.be.instanceOf(RetrievalRefusedError);
    expect(fresh.calls).to.have.length(2);
  });

  for (const [status, what, error] of [
    [404, "event", UnknownEventError],
    [404, "token", RetrievalRefusedError],
    [400, "token", RetrievalRefusedError],
    [401, "token", RetrievalRefusedError],
    [403, "event", RetrievalRefusedError],
    [302, "event", ProviderUnavailableError],
    [204, "event", ProviderUnavailableError],
    [429, "event", ProviderUnavailableError],
    [500, "event", ProviderUnavailableError],
    [503, "token", ProviderUnavailableError],
  ] as const) {
    it(`makes ${error.name} of a ${what} that is answered with ${status}`, async () => {
      const api = new Api();
      const headers = { location: "https://evil.test/", "retry-after": "7" };
      api[what] = () => new Response(null, { status, headers });
      const retrieval = api.retrieval();
      const found = await rejection(retrieval.fetch(ID, asked()));
      expect(found).to.be.instanceOf(error);
      expect(retrieval.classify(found)).to.equal(found);
      if (status === 404 && what === "event") return;
      expect((found as Error).message).to.include(String(status));
      if (!(found instanceof ProviderUnavailableError)) return;
      expect(found).to.include({ retryAfterSeconds: 7, rateLimited: status === 429 });
    });
  }

  it("calls nonsense an outage", async () => {
    for (const body of ["", "<html>", "[]", "5", "null"]) {
      const api = new Api();
      api.event = () => new Response(body);
      expect(await rejection(api.retrieval().fetch(ID, asked())), body).to.be.instanceOf(ProviderUnavailableError);
    }
    for (const body of [{}, { access_token: "" }, { access_token: 5, expires_in: 3600 }]) {
      const api = new Api();
      api.token = () => Response.json(body);
      expect(await rejection(api.retrieval().fetch(ID, asked()))).to.be.instanceOf(ProviderUnavailableError);
      expect(api.calls).to.have.length(1);
    }
    const api = new Api();
    api.event = () => new Response(Buffer.alloc(8 * 1024 * 1024 + 1, " "));
    const error = await rejection(api.retrieval().fetch(ID, asked()));
    expect(error)
      .to.be.instanceOf(ProviderUnavailableError)
      .with.property("message")
      .that.includes("more than an event");
    const padded = Buffer.concat([Buffer.from(JSON.stringify(EVENT)), Buffer.alloc(8 * 1024 * 1024, " ")]);
    api.event = () => new Response(padded.subarray(0, 8 * 1024 * 1024));
    expect(await api.retrieval().fetch(ID, asked())).to.deep.equal(EVENT);
  });

  it("calls it an outage when nobody answers, or not in time", async () => {
    const api = new Api();
    api.event = () => {
      throw new TypeError("fetch failed");
    };
    const refused = await rejection(api.retrieval().fetch(ID, asked()));
    expect(refused).to.be.instanceOf(ProviderUnavailableError).with.property("cause").that.is.instanceOf(TypeError);
    expect(inspect(refused)).not.to.include("secret");

    const waiting = (_url: unknown, { signal }: RequestInit = {}): Promise<Response> =>
      new Promise((_resolve, reject) => {
        const stop = (): void => reject(signal?.reason);
        if (signal?.aborted) stop();
        signal?.addEventListener("abort", stop);
      });
    const stuck = api.retrieval({ fetch: waiting as typeof fetch });
    expect(await rejection(stuck.fetch(ID, asked(undefined, { timeoutMs: 5 })))).to.be.instanceOf(
      ProviderUnavailableError,
    );
    const aborted = asked(undefined, { signal: AbortSignal.abort() });
    expect(await rejection(stuck.fetch(ID, aborted))).to.be.instanceOf(ProviderUnavailableError);
  });

  it("leaves other errors as they are", () => {
    expect(new Api().retrieval().classify(new Error("a subscriber's"))).to.equal(undefined);
  });

  it("takes the retrieved event through a bus, and nothing of the posted one", async () => {
    const api = new Api();
    const bus = new EventBus(kopokopo({ fetch: api.fetch as typeof fetch }));
    bus.logger = { info() {}, warn() {}, error() {} };
    bus.apiKey = "client:secret";
    const heard: unknown[] = [];
    bus.subscribe("buygoods_transaction_received", (event, { verifiedBy }) => void heard.push([event, verifiedBy]));
    const forged = { ...EVENT, topic: "customer_created", event: { resource: { amount: "1000000" } } };
    expect((await bus.receive(requestOf(JSON.stringify(forged)))).status).to.equal(200);
    expect(heard).to.deep.equal([[EVENT, "retrieval"]]);
    api.event = () => Response.json({ ...EVENT, id: "another" });
    const other = { id: "5", _links: { self: `${LIVE}/webhook_events/5` } };
    expect((await bus.receive(requestOf(JSON.stringify(other)))).status).to.equal(401);
    // A result is in no place that it could be fetched from.
    const result = JSON.stringify(fixture("kopokopo/payment.json"));
    expect((await bus.receive(requestOf(result))).status).to.equal(400);
    expect(heard).to.have.length(1);
  });
});
