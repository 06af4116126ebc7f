import { createHash, createHmac } from "node:crypto";
import { expect } from "chai";
import { ConfigurationError, PayloadError } from "../../src/errors.ts";
import { hubspot } from "../../src/hubspot.ts";
import { providerContract } from "./contract.ts";
import { NOW, refused, rig, sample, VERIFIED } from "./rig.ts";

const SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy";
const URL_ = "https://www.example.com/webhook_uri?a=1";
const BATCH = sample<Record<string, unknown>[]>("hubspot/batch.json");
const BODY = JSON.stringify(BATCH);
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

const provider = hubspot();
const { deliver, verify, read, open, objection } = rig(provider, { secret: SECRET });

const V1 = { "x-hubspot-signature": sha256(SECRET + BODY), "x-hubspot-signature-version": "v1" };
const V2 = { "x-hubspot-signature": sha256(`${SECRET}POST${URL_}${BODY}`), "x-hubspot-signature-version": "v2" };
const v3 = (url = URL_, signedUrl = url) => ({
  "x-hubspot-request-timestamp": String(NOW),
  "x-hubspot-signature-v3": createHmac("sha256", SECRET).update(`POST${signedUrl}${BODY}${NOW}`).digest("base64"),
});
const V3 = v3();
const request = (headers: Record<string, string | undefined>, url = URL_) => {
  return { method: "POST", url, headers, body: Buffer.from(BODY) };
};

describe("hubspot", () => {
  it("says what it is", () => {
    expect(provider).to.include({ name: "hubspot", namespace: "hubspot_event", delimiter: ".", toleranceSeconds: 300 });
    expect(provider.methods).to.deep.equal(["POST"]);
    expect(provider.summary).to.deep.equal({
      headers: ["x-hubspot-signature", "x-hubspot-signature-v3"],
      algorithms: ["SHA-256 of secret and content, hex", "HMAC-SHA-256, base64"],
      content: "{method}{url}{body}{timestamp}",
      secrets: ["text, as it stands"],
    });
  });

  describe("verify", () => {
    it("takes each version", () => {
      for (const headers of [V1, V2, V3, { ...V1, ...V3 }]) expect(verify(request(headers))).to.deep.equal(VERIFIED);
    });

    it("holds a delivery that carries v3 to v3", () => {
      const bad = { ...V3, "x-hubspot-signature-v3": Buffer.alloc(32).toString("base64") };
      expect(verify(request({ ...V1, ...bad }))).to.deep.equal(refused("bad_signature"));
      expect(verify(request({ ...V1, "x-hubspot-signature-v3": "" }))).to.deep.equal(refused("missing_header"));
      expect(verify(request({ ...V1, "x-hubspot-signature-v3": V3["x-hubspot-signature-v3"] }))).to.deep.equal(
        refused("missing_header"),
      );
      expect(verify(request({ ...V1, ...V3 }), NOW + 301_000)).to.deep.equal(refused("timestamp_too_old"));
    });

    it("takes no version for another", () => {
      expect(verify(request({ ...V1, "x-hubspot-signature-version": "v2" }))).to.deep.equal(refused("bad_signature"));
      expect(verify(request({ ...V2, "x-hubspot-signature-version": "v1" }))).to.deep.equal(refused("bad_signature"));
      for (const version of [undefined, "", "v3", "v4", "V1", "v1, v1"]) {
        expect(verify(request({ ...V1, "x-hubspot-signature-version": version })), version).to.deep.equal(
          refused("no_expected_scheme"),
        );
      }
      expect(verify(request({ "x-hubspot-signature-version": "v1" }))).to.deep.equal(refused("missing_header"));
      expect(verify(request({}))).to.deep.equal(refused("missing_header"));
    });

    it("has a v1 that signs the body alone, and a v2 that signs method and URL too", () => {
      expect(verify({ ...request(V1, "https://other.test/"), method: "PUT" })).to.deep.equal(VERIFIED);
      expect(verify(request(V2, "https://other.test/"))).to.deep.equal(refused("bad_signature"));
      expect(verify({ ...request(V2), method: "PUT" })).to.deep.equal(refused("bad_signature"));
    });

    it("takes v3 within five minutes either way, by a timestamp in milliseconds", () => {
      for (const seconds of [-300, 300]) expect(verify(request(V3), NOW + seconds * 1000)).to.deep.equal(VERIFIED);
      expect(verify(request(V3), NOW + 301_000)).to.deep.equal(refused("timestamp_too_old"));
      expect(verify(request(V3), NOW - 301_000)).to.deep.equal(refused("timestamp_in_future"));
    });

    it("decodes of the URL that v3 signs what HubSpot does", () => {
      const sent = "https://a.test/%3a%3A%2F%40%21%24%27%28%29%2A%2C%3B?b=%3F&c=%20%26%25";
      const plain = "https://a.test/::/@!$'()*,;?b=?&c=%20%26%25";
      expect(verify(request(v3(sent, plain), sent))).to.deep.equal(VERIFIED);
      expect(verify(request(v3(sent), sent))).to.deep.equal(refused("bad_signature"));
    });

    it("takes only the `versions` that are set", () => {
      const only = (...versions: ("v1" | "v2" | "v3")[]) => rig(hubspot({ versions }), { secret: SECRET }).verify;
      expect(only("v3")(request(V3))).to.deep.equal(VERIFIED);
      expect(only("v3")(request(V1))).to.deep.equal(refused("missing_header"));
      expect(only("v3")(request({}))).to.deep.equal(refused("missing_header"));
      expect(only("v3", "v2")(request(V2))).to.deep.equal(VERIFIED);
      expect(only("v3", "v2")(request(V1))).to.deep.equal(refused("no_expected_scheme"));
      expect(only("v1")(request({ ...V1, "x-hubspot-signature-v3": "bad" }))).to.deep.equal(VERIFIED);
      expect(only("v1")(request(V3))).to.deep.equal(refused("missing_header"));
      for (const versions of [[], ["v4"], "v3", null, [undefined]] as never[]) {
        expect(() => hubspot({ versions }), String(versions)).to.throw(
          ConfigurationError,
          '`versions` must be a list of "v1", "v2" and "v3"',
        );
      }
    });

    it("signs as the newest version that it takes", () => {
      expect(Object.keys(deliver(BODY, { url: URL_ }).headers)).to.deep.equal(Object.keys(V3));
      for (const [version, headers] of [
        ["v1", V1],
        ["v2", V2],
      ] as const) {
        const one = rig(hubspot({ versions: [version] }), { secret: SECRET });
        expect(one.deliver(BODY, { url: URL_ }).headers).to.deep.equal(headers);
      }
      expect(hubspot({ versions: ["v1"] }).summary).to.deep.equal({
        headers: ["x-hubspot-signature"],
        algorithms: ["SHA-256 of secret and content, hex"],
        content: "{body}",
        secrets: ["text, as it stands"],
      });
      expect(hubspot({ versions: ["v1", "v2"] }).toleranceSeconds).to.equal(0);
    });

    it("knows the endpoint by its `publicUrl`", () => {
      const behind = rig(hubspot({ publicUrl: "https://www.example.com" }), { secret: SECRET });
      for (const headers of [V1, V2, V3]) {
        expect(behind.verify(request(headers, "/webhook_uri?a=1"))).to.deep.equal(VERIFIED);
      }
      expect(verify(request(V3, "/webhook_uri?a=1"))).to.deep.equal(refused("bad_signature"));
      const host = { host: "www.example.com" };
      expect(verify(request({ ...V3, ...host }, "/webhook_uri?a=1"))).to.deep.equal(VERIFIED);
      expect(() => hubspot({ publicUrl: "example.com" })).to.throw(ConfigurationError, "`publicUrl` must be");
    });
  });

  it("reads every event, under a key that is more than the event's id", () => {
    const [first, second] = read(deliver(BODY, { url: URL_ }));
    const { attemptNumber: _, ...data } = BATCH[0] ?? {};
    expect(first).to.deep.equal({
      id: "1",
      type: "contact.creation",
      key: "[62515,12345,123,1700000000000,1]",
      livemode: undefined,
      created: new Date(NOW),
      account: "62515",
      data,
      event: BATCH[0],
    });
    expect(second).to.include({ id: "1", type: "contact.propertyChange", key: "[62515,12346,123,1700000000000,1]" });
    expect(provider.read([{ eventId: "e", subscriptionType: "a.b" }])).to.deep.include.members([
      {
        id: "e",
        type: "a.b",
        key: '[null,null,null,null,"e"]',
        livemode: undefined,
        created: undefined,
        account: undefined,
        data: { eventId: "e", subscriptionType: "a.b" },
        event: { eventId: "e", subscriptionType: "a.b" },
      },
    ]);
  });

  it("reads nothing that is no list of events", () => {
    for (const body of [{}, BATCH[0], null, 5, [], [5], [{}], [{ eventId: 1 }], [{ subscriptionType: "a.b" }]]) {
      expect(() => provider.read(body), JSON.stringify(body)).to.throw(PayloadError);
    }
  });

  it("runs each event once, whatever the attempt, and again only what failed", async () => {
    const { bus, seen } = open();
    let down = true;
    bus.subscribe("contact.propertyChange", () => {
      if (down) throw new Error("down");
      seen.push("written");
    });
    const attempt = (attemptNumber: number) =>
      deliver(
        BATCH.map((event) => ({ ...event, attemptNumber })),
        { url: URL_ },
      );
    expect(await bus.receive(attempt(0))).to.include({ status: 500 });
    down = false;
    expect(await bus.receive(attempt(1))).to.include({ status: 200, outcome: "handled" });
    expect(await bus.receive(attempt(2))).to.include({ status: 200, outcome: "duplicate" });
    expect(seen).to.deep.equal(["contact.creation", "contact.propertyChange", "written"]);
  });

  it("answers 400 to a v1 delivery that was made longer than what was signed", async () => {
    const { bus } = open();
    const longer = `${BODY}\u0080`;
    const headers = { ...V1, "x-hubspot-signature": sha256(SECRET + longer) };
    expect(await bus.receive({ ...request(headers), body: Buffer.from(longer) })).to.include({ status: 400 });
  });

  it("refuses an empty secret", () => {
    expect(objection("")).to.include("is empty");
    expect(objection(SECRET)).to.equal("");
  });
});

const shared = { secret: SECRET, otherSecret: "another", body: BODY, url: URL_, events: 2 };
providerContract(hubspot, [{ ...shared, name: "v3" }]);
providerContract(() => hubspot({ versions: ["v2"] }), [{ ...shared, name: "v2" }]);
providerContract(() => hubspot({ versions: ["v1"] }), [{ ...shared, name: "v1" }]);
