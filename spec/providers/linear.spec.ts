import { expect } from "chai";
import { PayloadError } from "../../src/errors.ts";
import { linear } from "../../src/linear.ts";
import { providerContract } from "./contract.ts";
import { NOW, refused, rig, sample, VERIFIED } from "./rig.ts";

const SECRET = "lin_wh_secret";
const CREATED = sample("linear/Issue.create.json");
const HEADERS = { "linear-delivery": "234d1a4e-b617-4388-90fe-adc3633d6b72", "linear-event": "Issue" };

const provider = linear();
const { deliver, verify, read, open, objection } = rig(provider, { secret: SECRET });
const send = (body: unknown = CREATED, headers: Record<string, string> = HEADERS) => deliver(body, { headers });

describe("linear", () => {
  it("says what it is", () => {
    expect(provider).to.include({ name: "linear", namespace: "linear_event", delimiter: ".", toleranceSeconds: 60 });
    expect(provider.summary).to.deep.equal({
      headers: ["linear-signature"],
      algorithms: ["HMAC-SHA-256, hex"],
      content: "{body}",
      secrets: ["text, as it stands"],
    });
  });

  it("takes a minute either way, by the timestamp in the body", () => {
    for (const seconds of [-60, 0, 60]) expect(verify(send(), NOW + seconds * 1000)).to.deep.equal(VERIFIED);
    expect(verify(send(), NOW + 61_000)).to.deep.equal(refused("timestamp_too_old"));
    expect(verify(send(), NOW - 61_000)).to.deep.equal(refused("timestamp_in_future"));
    expect(verify(send(), NOW + 300_000, 300)).to.deep.equal(VERIFIED);
  });

  it("does not believe the header with a timestamp, which is not signed", () => {
    const headers = { ...HEADERS, "linear-timestamp": String(NOW + 61_000) };
    expect(verify(send(CREATED, headers), NOW + 61_000)).to.deep.equal(refused("timestamp_too_old"));
  });

  it("refuses a body without a timestamp, once its signature is known to be good", () => {
    for (const odd of [undefined, null, "1700000000000", [NOW], -1, 1.5, 1e15, true]) {
      expect(verify(send({ ...CREATED, webhookTimestamp: odd })), String(odd)).to.deep.equal(
        refused("malformed_header"),
      );
    }
    for (const body of ["", "{", "[]", "null", Buffer.from([0xff])]) {
      expect(verify(send(body))).to.deep.equal(refused("malformed_header"));
    }
    const request = send({ ...CREATED, webhookTimestamp: undefined });
    expect(verify({ ...request, body: Buffer.from("{}") })).to.deep.equal(refused("bad_signature"));
  });

  it("reads an event: the entity, and what was done", () => {
    const [envelope] = read(send());
    expect(envelope).to.deep.include({
      id: HEADERS["linear-delivery"],
      type: "Issue.create",
      livemode: undefined,
      created: new Date("2023-11-14T22:13:19.481Z"),
      account: "c0a8f3d2-1111-4222-8333-444455556666",
      data: CREATED["data"],
      event: CREATED,
      unsigned: ["id"],
    });
    expect(envelope?.key).to.match(/^[0-9a-f]{64}$/);
    const notified = { ...CREATED, type: "AppUserNotification", action: "issueMention" };
    expect(read(send(notified, { ...HEADERS, "linear-event": "Issue" }))[0]?.type).to.equal(
      "AppUserNotification.issueMention",
    );
  });

  it("reads nothing without a delivery id, an entity or an action", () => {
    expect(() => read(send(CREATED, {}))).to.throw(PayloadError, "the event has no `id`");
    for (const body of [[], null, {}, { type: "Issue" }, { action: "create" }, { type: 5, action: "create" }]) {
      expect(() => provider.read(body, { request: send(CREATED) }), JSON.stringify(body)).to.throw(PayloadError);
    }
  });

  it("runs a subscriber once, whatever the delivery's id, and whenever it was sent again", async () => {
    const { bus, seen } = open();
    expect(await bus.receive(send())).to.include({ status: 200, outcome: "handled" });
    expect(await bus.receive(send(CREATED, { "linear-delivery": "2" }))).to.include({ outcome: "duplicate" });
    const retried = { ...CREATED, webhookTimestamp: NOW + 30_000 };
    expect(await bus.receive(send(retried, { "linear-delivery": "3" }))).to.include({ outcome: "duplicate" });
    const other = { ...CREATED, createdAt: "2023-11-14T22:13:20.000Z" };
    expect(await bus.receive(send(other))).to.include({ outcome: "handled" });
    expect(seen).to.deep.equal(["Issue.create", "Issue.create"]);
  });

  it("refuses an API key as its secret, without repeating it", () => {
    for (const key of ["lin_api_abc", "lin_oauth_abc"]) {
      expect(objection(key)).to.equal(
        "`signingSecrets` holds an API key (lin_…): the signing secret begins with lin_wh_ and stands on the webhook's page",
      );
    }
    expect(objection(SECRET)).to.equal("");
    expect(objection("")).to.include("is empty");
  });
});

providerContract(linear, [
  {
    name: "a change",
    secret: SECRET,
    otherSecret: "lin_wh_other",
    body: JSON.stringify(CREATED),
    headers: HEADERS,
    freshHeaders: { "linear-delivery": "2" },
  },
]);
