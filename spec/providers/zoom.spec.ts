import { createHmac } from "node:crypto";
import { expect } from "chai";
import { PayloadError } from "../../src/errors.ts";
import { zoom } from "../../src/zoom.ts";
import { providerContract } from "./contract.ts";
import { NOW, refused, rig, sample, VERIFIED } from "./rig.ts";

const SECRET = "zoom_secret";
const STARTED = sample("zoom/meeting.started.json");
const VALIDATION = sample("zoom/endpoint.url_validation.json");

const provider = zoom();
const { deliver, verify, read, open, objection } = rig(provider, { secret: SECRET });

describe("zoom", () => {
  it("says what it is", () => {
    expect(provider).to.include({ name: "zoom", namespace: "zoom_event", delimiter: ".", toleranceSeconds: 300 });
    expect(provider.summary).to.deep.equal({
      headers: ["x-zm-signature"],
      algorithms: ["HMAC-SHA-256, hex"],
      content: "v0:{timestamp}:{body}",
      secrets: ["text, as it stands"],
    });
    expect(provider.success).to.equal(undefined);
  });

  it("takes five minutes either way, inclusive", () => {
    const request = deliver(STARTED);
    for (const seconds of [-300, 0, 300]) expect(verify(request, NOW + seconds * 1000)).to.deep.equal(VERIFIED);
    expect(verify(request, NOW + 301_000)).to.deep.equal(refused("timestamp_too_old"));
    expect(verify(request, NOW - 301_000)).to.deep.equal(refused("timestamp_in_future"));
  });

  it("reads the timestamp as seconds, not as the milliseconds of `event_ts`", () => {
    const request = deliver(STARTED);
    expect(request.headers["x-zm-request-timestamp"]).to.equal("1700000000");
  });

  it("reads an event, under the hash of its body", () => {
    const [envelope] = read(deliver(STARTED));
    expect(envelope).to.deep.include({
      type: "meeting.started",
      livemode: undefined,
      created: new Date(1_700_000_000_572),
      account: "AAAAAABBBB",
      data: STARTED["payload"],
      event: STARTED,
    });
    expect(envelope?.id)
      .to.match(/^[0-9a-f]{64}$/)
      .and.to.equal(envelope?.key);
    expect(read(deliver({ ...STARTED, event_ts: 1 }))[0]?.id).not.to.equal(envelope?.id);
  });

  it("reads nothing without a type", () => {
    for (const body of [{}, [], null, { event: 5 }, { event: "a b" }]) {
      expect(() => provider.read(body), JSON.stringify(body)).to.throw(PayloadError);
    }
  });

  it("answers endpoint.url_validation under the secret that verified it", async () => {
    const { bus, seen } = open();
    bus.signingSecrets = ["next_secret", SECRET];
    for (const secret of [SECRET, "next_secret"]) {
      const receipt = await bus.receive(deliver(VALIDATION, { secret }));
      expect(receipt).to.deep.include({ status: 200, outcome: "challenge" });
      expect(receipt.headers).to.deep.equal({ "content-type": "application/json" });
      expect(JSON.parse(receipt.body)).to.deep.equal({
        plainToken: "qgg8vlvZRS6UYooatFL8Aw",
        encryptedToken: createHmac("sha256", secret).update("qgg8vlvZRS6UYooatFL8Aw").digest("hex"),
      });
    }
    expect(await bus.receive(deliver(VALIDATION, { secret: "another" }))).to.include({ status: 401 });
    expect(seen).to.deep.equal([]);
  });

  it("answers no token that could be the content of a delivery", async () => {
    const { bus } = open();
    for (const plainToken of ["v0:1700000000:{}", "", 5, undefined, "a b", "x".repeat(256)]) {
      const receipt = await bus.receive(deliver({ event: "endpoint.url_validation", payload: { plainToken } }));
      expect(receipt, String(plainToken)).to.deep.include({ status: 400, body: '{"received":false}' });
    }
    expect(await bus.receive(deliver({ event: "endpoint.url_validation" }))).to.include({ status: 400 });
    for (const plainToken of ["x".repeat(255), "a+/=-_9"]) {
      const receipt = await bus.receive(deliver({ event: "endpoint.url_validation", payload: { plainToken } }));
      expect(receipt).to.include({ status: 200 });
    }
  });

  it("runs a subscriber once for an event that is sent again", async () => {
    const { bus, seen } = open();
    expect(await bus.receive(deliver(STARTED))).to.include({ status: 200, outcome: "handled" });
    const headers = { "x-zm-trackingid": "v=2.0;clid=aw1" };
    const again = await bus.receive(deliver(STARTED, { now: NOW + 60_000, headers }));
    expect(again).to.include({ status: 200, outcome: "duplicate" });
    expect(seen).to.deep.equal(["meeting.started"]);
  });

  it("refuses an empty secret", () => {
    expect(objection("")).to.include("is empty");
    expect(objection(SECRET)).to.equal("");
  });
});

providerContract(zoom, [
  {
    name: "an event",
    secret: SECRET,
    otherSecret: "another",
    body: JSON.stringify(STARTED),
    freshHeaders: { "x-zm-trackingid": "2" },
  },
]);
