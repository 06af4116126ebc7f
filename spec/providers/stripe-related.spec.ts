import { expect } from "chai";
import { ConfigurationError, PayloadError } from "../../src/errors.ts";
import type { EventClient } from "../../src/providers/provider.ts";
import { stripe } from "../../src/providers/stripe.ts";
import type { StripeBaseEvent } from "../../src/providers/stripe-events.ts";
import { type ApiServer, answer, rejection, startApi } from "./api-server.ts";
import { fixture } from "./fixture.ts";
import { onlyOne } from "./only.ts";

const METER = { id: "mtr_1", object: "billing.meter" };

describe("stripe, fetching what a thin event is about", () => {
  let api: ApiServer;
  before(async () => {
    api = await startApi();
  });
  after(() => api.close());
  beforeEach(() => {
    (api.requests as unknown[]).length = 0;
    api.reply = answer(200, METER);
  });

  const withKey: EventClient = { apiKey: () => "sk_test_1" };
  const read = (fields: object, client: EventClient | undefined = withKey, apiVersion?: string): StripeBaseEvent => {
    const event = { ...fixture("stripe/v1.billing.meter.error_report_triggered.json"), ...fields };
    return onlyOne(stripe({ apiBase: api.url, apiVersion }).read(event, { client })).event as StripeBaseEvent;
  };
  const fetchRelated = (event: StripeBaseEvent): Promise<unknown> => event.fetchRelated?.() ?? expect.fail();
  const at = (url: unknown, fields: object = {}) => read({ related_object: { type: "x", url }, ...fields });

  it("gets the related object", async () => {
    expect(await fetchRelated(read({}))).to.deep.equal(METER);
    const path = "/v1/billing/meters/mtr_test_61RCjiqdTDC91zgip41IqPCzPnxqqSVc";
    expect(api.requests[0]).to.deep.include({ method: "GET", url: path });
    expect(api.requests[0]?.headers).to.include({ authorization: "Bearer sk_test_1" });
    expect(api.requests[0]?.headers).not.to.have.any.keys("stripe-context", "stripe-account");
  });

  it("gets it in the event's context and in the API version asked for", async () => {
    await fetchRelated(read({ context: "acct_1" }, withKey, "2020-08-27"));
    expect(api.requests[0]?.headers).to.include({ "stripe-context": "acct_1", "stripe-version": "2020-08-27" });
  });

  it("asks anew each time, and not before", async () => {
    const event = read({});
    expect(api.requests).to.have.length(0);
    await fetchRelated(event);
    await fetchRelated(event);
    expect(api.requests).to.have.length(2);
  });

  it("gives null where there is nothing related", async () => {
    expect(await fetchRelated(read({ related_object: null }))).to.equal(null);
    expect(await fetchRelated(read({ related_object: undefined }))).to.equal(null);
    expect(api.requests).to.have.length(0);
  });

  it("takes paths of Stripe's API", async () => {
    const paths = ["/v1/balance", "/v2/core/accounts/acct_1?include=identity", "/v1/tax/settings", "/v1/a/b-c_d.e"];
    for (const path of paths) expect(await fetchRelated(at(path)), path).to.deep.equal(METER);
    expect(api.requests.map((request) => request.url)).to.deep.equal(paths);
  });

  it("goes nowhere else", async () => {
    const escapes = [
      "/v1/../x",
      "/v1/..",
      "/v1/a/..%2f",
      "/v1/%2e%2e/x",
      "/v1/a\\b",
      "/v1/a b",
      "/v1/a\r\nx: y",
      "/v1/a#b",
    ];
    const elsewhere = [
      "https://evil.example/v1/x",
      "//evil.example/v1/x",
      "/v1//evil",
      "/v3/x",
      "v1/x",
      "/v1",
      "/v1/",
      "",
    ];
    const odd = ["/v1/x?a=/b", "/x/v1/x", "/v1/x\n", "/v12/x", null, undefined, 5, {}];
    for (const url of [...escapes, ...elsewhere, ...odd]) {
      const error = await rejection(fetchRelated(at(url)));
      expect(error, String(url)).to.be.instanceOf(PayloadError);
      expect(error).to.have.property("message", "the event's `related_object.url` is not a path of Stripe's API");
    }
    for (const related of ["/v1/x", 5, true, ["/v1/x"]]) {
      expect(await rejection(fetchRelated(read({ related_object: related })))).to.be.instanceOf(PayloadError);
    }
    expect(api.requests).to.have.length(0);
  });

  it("needs an API key", async () => {
    const thin = fixture("stripe/v1.billing.meter.error_report_triggered.json");
    const event = onlyOne(stripe().read(thin)).event as StripeBaseEvent;
    const error = await rejection(fetchRelated(event));
    expect(error).to.be.instanceOf(ConfigurationError);
    expect(error).to.have.property("message", "`fetchRelated` needs the `apiKey` of a bus");
    const refusing: EventClient = {
      apiKey() {
        throw new ConfigurationError("no key");
      },
    };
    expect(await rejection(fetchRelated(read({}, refusing)))).to.have.property("message", "no key");
  });

  it("rejects with the SDK's own errors", async () => {
    api.reply = answer(500, { error: { message: "down" } });
    expect(await rejection(fetchRelated(read({})))).to.have.property("statusCode", 500);
    expect(api.requests).to.have.length(1);
  });

  it("is no part of the event", () => {
    const event = read({});
    expect(Object.keys(event)).not.to.contain("fetchRelated");
    expect(JSON.parse(JSON.stringify(event))).to.deep.equal(event);
    expect(structuredClone(event)).not.to.have.property("fetchRelated");
  });

  it("can be replaced, in a test of the user's", async () => {
    const event = read({});
    event.fetchRelated = () => Promise.resolve("stub");
    expect(await fetchRelated(event)).to.equal("stub");
    delete event.fetchRelated;
    expect(event.fetchRelated).to.equal(undefined);
  });

  it("can be given to an event twice, and to a frozen one", () => {
    const provider = stripe();
    const event = fixture("stripe/v1.billing.meter.error_report_triggered.json");
    const first = onlyOne(provider.read(event)).event;
    expect(onlyOne(provider.read(event)).event).to.equal(first);
    const frozen = Object.freeze({ ...event });
    const copy = onlyOne(provider.read(frozen)).event as StripeBaseEvent;
    expect(copy).not.to.equal(frozen);
    expect(copy).to.deep.equal(frozen);
    expect(copy.fetchRelated).to.be.a("function");
  });
});
