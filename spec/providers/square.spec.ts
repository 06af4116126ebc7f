import { expect } from "chai";
import { ConfigurationError, PayloadError } from "../../src/errors.ts";
import { square } from "../../src/square.ts";
import { providerContract } from "./contract.ts";
import { NOW, refused, rig, sample, VERIFIED } from "./rig.ts";

const SECRET = "asdf1234";
const URL_ = "https://example.com/square";
const UPDATED = sample("square/payment.updated.json");

const provider = square();
const { deliver, verify, read, open, objection } = rig(provider, { secret: SECRET });

describe("square", () => {
  it("says what it is", () => {
    expect(provider).to.include({ name: "square", namespace: "square_event", delimiter: ".", toleranceSeconds: 0 });
    expect(provider.summary).to.deep.equal({
      headers: ["x-square-hmacsha256-signature"],
      algorithms: ["HMAC-SHA-256, base64"],
      content: "{url}{body}",
      secrets: ["text, as it stands"],
    });
  });

  it("takes the URL of the request, a path being on the host that it names", () => {
    const request = deliver(UPDATED, { url: URL_ });
    expect(verify(request)).to.deep.equal(VERIFIED);
    expect(verify({ ...request, url: `${URL_}/` })).to.deep.equal(refused("bad_signature"));
    const at = (host: string) => verify({ ...request, url: "/square", headers: { ...request.headers, host } });
    expect(at("example.com")).to.deep.equal(VERIFIED);
    expect(at("Example.com")).to.deep.equal(refused("bad_signature"));
    expect(verify({ ...request, url: "/square" })).to.deep.equal(refused("bad_signature"));
    const fragment = { ...request, url: `${URL_}#x` };
    expect(verify(fragment)).to.deep.equal(VERIFIED);
  });

  it("takes the `notificationUrl` instead, to the letter", () => {
    const request = { ...deliver(UPDATED, { url: URL_ }), url: "http://10.0.0.1:3000/inside" };
    const behind = (notificationUrl: string) => rig(square({ notificationUrl }), { secret: SECRET });
    expect(behind(URL_).verify(request)).to.deep.equal(VERIFIED);
    expect(behind("https://EXAMPLE.com/square").verify(request)).to.deep.equal(refused("bad_signature"));
    const queried = `${URL_}?shop=1`;
    const sent = { ...deliver(UPDATED, { url: queried }), url: "/inside" };
    expect(behind(queried).verify(sent)).to.deep.equal(VERIFIED);
    expect(behind(queried).verify(behind(queried).deliver(UPDATED))).to.deep.equal(VERIFIED);
    for (const notificationUrl of ["", "example.com", "/square", "https://a.test/#b"]) {
      expect(() => square({ notificationUrl })).to.throw(
        ConfigurationError,
        "`notificationUrl` must be the endpoint's http or https URL, like https://example.com/webhooks, without a fragment",
      );
    }
  });

  it("reads an event", () => {
    expect(read(deliver(UPDATED, { url: URL_ }))).to.deep.equal([
      {
        id: "13b867cf-db3d-4b1c-90b6-2f32a9d78124",
        type: "payment.updated",
        key: "13b867cf-db3d-4b1c-90b6-2f32a9d78124",
        livemode: undefined,
        created: new Date("2023-11-14T22:13:20.255Z"),
        account: "6SSW7HV8K2ST5",
        data: UPDATED["data"],
        event: UPDATED,
      },
    ]);
    for (const body of [{}, [], null, { event_id: 5, type: "a" }, { event_id: "1", type: "a b" }]) {
      expect(() => provider.read(body), JSON.stringify(body)).to.throw(PayloadError);
    }
  });

  it("runs a subscriber once for an event, however late it comes again", async () => {
    const { bus, seen } = open();
    const request = deliver(UPDATED, { url: URL_ });
    expect(await bus.receive(request)).to.include({ status: 200, outcome: "handled" });
    const headers = { ...request.headers, "square-retry-number": "1", "square-retry-reason": "http_timeout" };
    expect(await bus.receive({ ...request, headers })).to.include({ status: 200, outcome: "duplicate" });
    expect(verify(request, NOW * 2)).to.deep.equal(VERIFIED);
    expect(seen).to.deep.equal(["payment.updated"]);
  });

  it("refuses an access token or an id as its secret, without repeating it", () => {
    for (const token of ["EAAAEabc", "sq0idp-abc", "sq0csp-abc"]) {
      expect(objection(token)).to.equal(
        "`signingSecrets` holds an access token or an application's id: the signature key stands with the subscription",
      );
    }
    expect(objection(SECRET)).to.equal("");
    expect(objection("")).to.include("is empty");
  });
});

providerContract(square, [
  { name: "an event", secret: SECRET, otherSecret: "another", body: JSON.stringify(UPDATED), url: URL_ },
]);
