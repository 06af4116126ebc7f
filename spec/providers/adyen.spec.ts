import { createHash, createHmac } from "node:crypto";
import { expect } from "chai";
import { ConfigurationError, PayloadError } from "../../src/errors.ts";
import { adyen } from "../../src/providers/adyen.ts";
import type { Envelope, Verification } from "../../src/providers/provider.ts";
import { keysOf, recordingBus, refusalOf, requestOf } from "./delivered.ts";
import { fixture } from "./fixture.ts";
import { workOf } from "./work.ts";

const SECRET = "DFB1EB5485895CFA84146406857104ABB4CBCABDC8AAF103A624C8F6A3EAAB00";
const OTHER = "ab".repeat(32);
const NAMES = ["AUTHORISATION", "CAPTURE"];

type Item = Record<string, unknown>;
interface Payload {
  live: string;
  notificationItems: { NotificationRequestItem: Item }[];
}

const provider = adyen();
const payloadOf = (name = "AUTHORISATION"): Payload => fixture(`adyen/${name}.json`) as unknown as Payload;
const itemOf = (payload: Payload): Item => payload.notificationItems[0]?.NotificationRequestItem ?? expect.fail();
const textOf = (payload: unknown): string => JSON.stringify(payload);

function verify(body: Uint8Array | string, ...secrets: string[]): unknown {
  const keys = keysOf(provider, ...(secrets.length > 0 ? secrets : [SECRET]));
  return provider.verify(requestOf({ body }), { keys, now: 0, toleranceSeconds: 0 });
}

/** The verdict on the first fixture after `change`. */
function afterChange(change: (item: Item, payload: Payload) => void): unknown {
  const payload = payloadOf();
  change(itemOf(payload), payload);
  return verify(textOf(payload));
}

const read = (payload: unknown): readonly Envelope[] => [provider.read(payload)].flat() as readonly Envelope[];
const accepted = (label = "key 0"): Verification => ({ verified: true, matchedSecret: label });
const refused = (reason: string): unknown => ({ verified: false, reason });

describe("adyen", () => {
  it("says what it is", () => {
    const { name, namespace, delimiter, methods, toleranceSeconds, success } = provider;
    expect({ name, namespace, delimiter, methods, toleranceSeconds, success }).to.deep.equal({
      name: "adyen",
      namespace: "adyen_event",
      delimiter: ".",
      methods: ["POST"],
      toleranceSeconds: 0,
      success: { status: 200, headers: { "content-type": "text/plain" }, body: "[accepted]" },
    });
    expect(Object.keys(provider.secrets)).to.deep.equal(["signingSecrets"]);
    expect(provider.summary).to.deep.equal({
      headers: [],
      algorithms: ["HMAC-SHA-256, base64"],
      content: "eight fields of each item, joined by :",
      secrets: ["hex digits"],
    });
  });

  it("takes HMAC keys of 64 hex digits, and nothing that is surely something else", () => {
    expect(refusalOf(provider, SECRET)).to.equal(undefined);
    expect(refusalOf(provider, SECRET.toLowerCase())).to.equal(undefined);
    expect(refusalOf(provider, "AQEyhmfxK")).to.equal(
      "`signingSecrets` holds an API key (AQE…): the HMAC key stands with the webhook, 64 hex digits",
    );
    for (const odd of [SECRET.slice(2), `${SECRET}00`, "secret", `z${SECRET.slice(1)}`]) {
      expect(refusalOf(provider, odd), odd).to.equal(
        "`signingSecrets` must be an HMAC key of 64 hex digits, from the webhook's settings",
      );
    }
    expect(refusalOf(adyen({ platform: true }), "secret")).to.contain("64 hex digits");
  });

  describe("verify", () => {
    it("takes genuine items, under any of the secrets", () => {
      for (const name of NAMES) expect(verify(textOf(payloadOf(name)))).to.deep.equal(accepted());
      expect(verify(textOf(payloadOf()), OTHER, SECRET, SECRET)).to.deep.equal(accepted("key 1"));
      expect(verify(textOf(payloadOf()), OTHER)).to.deep.equal(refused("bad_signature"));
    });

    it("does not mind spaces and order, for the body is not what is signed", () => {
      const { live, notificationItems } = payloadOf();
      expect(verify(JSON.stringify({ notificationItems, live }, null, 4))).to.deep.equal(accepted());
    });

    it("refuses an item of which any signed field was changed", () => {
      const changes: Item[] = [
        { pspReference: "X" },
        { originalReference: "X" },
        { merchantAccountCode: "X" },
        { merchantReference: "X" },
        { amount: { currency: "EUR", value: 2598 } },
        { amount: { currency: "USD", value: 2599 } },
        { eventCode: "CAPTURE" },
        { success: "false" },
      ];
      for (const change of changes) {
        expect(afterChange((item) => Object.assign(item, change))).to.deep.equal(refused("bad_signature"));
      }
      expect(afterChange((item) => Object.assign(item, { reason: "X", eventDate: "X" }))).to.deep.equal(accepted());
    });

    it("leaves no second reading of where one field ends", () => {
      // Joined, `NC6…::Shop:order:1001` is the same text in each of these.
      expect(
        afterChange((item) =>
          Object.assign(item, {
            pspReference: "NC6HT9CRT65ZGN82:",
            originalReference: "ExampleShopECOM",
            merchantAccountCode: "order",
            merchantReference: "1001",
          }),
        ),
      ).to.deep.equal(refused("malformed_header"));
      expect(
        afterChange((item) =>
          Object.assign(item, { merchantAccountCode: "ExampleShopECOM:order", merchantReference: "1001" }),
        ),
      ).to.deep.equal(refused("malformed_header"));
      expect(
        afterChange((item) =>
          Object.assign(item, { merchantReference: "order", amount: { value: "1001:2599", currency: "EUR" } }),
        ),
      ).to.deep.equal(refused("malformed_header"));
    });

    it("wants every item signed, and all by one key", () => {
      const [good] = payloadOf().notificationItems;
      const under = (secret: string): unknown =>
        JSON.parse(provider.signBody(textOf(payloadOf("CAPTURE")), { secret }).toString()).notificationItems[0];
      const both = (second: unknown): string => textOf({ live: "false", notificationItems: [good, second] });
      expect(verify(both(under(SECRET)))).to.deep.equal(accepted());
      expect(verify(both(under(OTHER)), SECRET, OTHER)).to.deep.equal(refused("bad_signature"));
      const bare = itemOf(payloadOf("CAPTURE"));
      bare["additionalData"] = {};
      expect(verify(both({ NotificationRequestItem: bare }))).to.deep.equal(refused("missing_header"));
    });

    it("refuses a body without items, and one that is no JSON", () => {
      expect(verify('{"live":"false","notificationItems":[]}')).to.deep.equal(refused("missing_header"));
      for (const body of ["", "{", "[]", "5", "null", "{}", '{"notificationItems":{}}', '{"notificationItems":[1]}']) {
        expect(verify(body), body).to.deep.equal(refused("malformed_header"));
      }
      expect(verify('{"notificationItems":[{"NotificationRequestItem":[]}]}')).to.deep.equal(
        refused("malformed_header"),
      );
      expect(verify(Buffer.from([0xff, 0xfe]))).to.deep.equal(refused("malformed_header"));
      expect(verify("[".repeat(100_000) + "]".repeat(100_000))).to.deep.equal(refused("malformed_header"));
    });

    it("refuses a signature that is missing, or not in its one spelling", () => {
      const signed = (signature: unknown): unknown =>
        afterChange((item) => Object.assign(item, { additionalData: { hmacSignature: signature } }));
      const good = (itemOf(payloadOf())["additionalData"] as Item)["hmacSignature"] as string;
      expect(signed(good)).to.deep.equal(accepted());
      for (const odd of [undefined, "", 5, null, [good]]) expect(signed(odd)).to.deep.equal(refused("missing_header"));
      for (const odd of ["x", `${good} `, good.replace("=", ""), `${good}AAAA`, "é".repeat(44), good.toLowerCase()]) {
        expect(signed(odd), odd).to.deep.equal(refused("bad_signature"));
      }
      expect(afterChange((item) => Object.assign(item, { additionalData: null }))).to.deep.equal(
        refused("missing_header"),
      );
    });

    it("checks no more than a hundred items, and none after one that is forged", () => {
      const [item] = payloadOf().notificationItems;
      const body = (count: number): string => textOf({ live: "false", notificationItems: Array(count).fill(item) });
      expect(workOf(() => verify(body(100)))).to.include({ hmacs: 100 });
      expect(verify(body(100))).to.deep.equal(accepted());
      expect(workOf(() => verify(body(101)))).to.include({ hmacs: 0 });
      expect(verify(body(101))).to.deep.equal(refused("malformed_header"));
      expect(workOf(() => verify(body(100), OTHER, "cd".repeat(32)))).to.include({ hmacs: 2 });
      expect(() => provider.signBody(body(101), { secret: SECRET })).to.throw(ConfigurationError, "more than 100");
    });

    it("refuses fields that are no plain values", () => {
      for (const odd of [{}, [], ["true"]]) {
        expect(afterChange((item) => Object.assign(item, { success: odd }))).to.deep.equal(refused("malformed_header"));
        expect(afterChange((item) => Object.assign(item, { merchantReference: odd }))).to.deep.equal(
          refused("malformed_header"),
        );
      }
    });
  });

  describe("read", () => {
    it("finds what it knows of an event", () => {
      const payload = payloadOf();
      expect(read(payload)).to.deep.equal([
        {
          id: "NC6HT9CRT65ZGN82:AUTHORISATION:true",
          type: "AUTHORISATION",
          key: "NC6HT9CRT65ZGN82:AUTHORISATION:true",
          livemode: false,
          created: new Date("2026-11-20T08:14:03Z"),
          account: "ExampleShopECOM",
          data: "NC6HT9CRT65ZGN82::ExampleShopECOM:order:1001:2599:EUR:AUTHORISATION:true",
          event: { ...itemOf(payload), live: "false" },
        },
      ]);
    });

    it("takes live for live only from its two texts", () => {
      for (const [live, livemode] of [
        ["true", true],
        ["false", false],
        [true, undefined],
        [undefined, undefined],
      ]) {
        expect(read({ ...payloadOf(), live })[0]?.livemode).to.equal(livemode);
      }
    });

    it("gives each item of a delivery, and throws for one without any", () => {
      const items = NAMES.flatMap((name) => payloadOf(name).notificationItems);
      expect(read({ live: "true", notificationItems: items }).map(({ id }) => id)).to.deep.equal([
        "NC6HT9CRT65ZGN82:AUTHORISATION:true",
        "pspReference:CAPTURE:true",
      ]);
      expect(() => read({ notificationItems: [] })).to.throw(PayloadError, "the delivery holds no event");
      for (const odd of [{}, [], null, { notificationItems: [5] }]) {
        expect(() => read(odd)).to.throw(PayloadError, "the delivery has no `notificationItems`");
      }
    });
  });

  it("signs bodies, which then verify", () => {
    const payload = payloadOf();
    itemOf(payload)["additionalData"] = { authCode: "1" };
    const body = provider.signBody(textOf(payload), { secret: SECRET });
    expect(provider.sign(body, { secret: SECRET })).to.deep.equal({});
    expect(verify(body)).to.deep.equal(accepted());
    expect(itemOf(JSON.parse(body.toString()))["additionalData"]).to.have.property("authCode", "1");
    delete itemOf(payload)["additionalData"];
    expect(verify(provider.signBody(textOf(payload), { secret: SECRET }))).to.deep.equal(accepted());
    expect(() => provider.signBody("{}", { secret: SECRET })).to.throw(
      ConfigurationError,
      "has no `notificationItems`",
    );
    expect(() => provider.signBody(textOf(payload), { secret: "x" })).to.throw(ConfigurationError, "`secret` must be");
    itemOf(payload)["success"] = {};
    expect(() => provider.signBody(textOf(payload), { secret: SECRET })).to.throw(
      ConfigurationError,
      "cannot be signed",
    );
  });

  describe("on a bus", () => {
    it("answers [accepted], and runs an item once however its unsigned fields change", async () => {
      const { deliver, seen } = recordingBus(provider, SECRET);
      const payload = payloadOf();
      expect(await deliver(requestOf({ body: textOf(payload) }))).to.deep.equal({
        status: 200,
        outcome: "handled",
        body: "[accepted]",
      });
      Object.assign(itemOf(payload), { reason: "changed", eventDate: "2027-01-01T00:00:00Z" });
      const again = { status: 200, outcome: "duplicate", body: "[accepted]" };
      expect(await deliver(requestOf({ body: textOf({ ...payload, live: "true" }) }))).to.deep.equal(again);
      expect(seen).to.have.length(1);
    });

    it("runs every item of a delivery", async () => {
      const { deliver, seen } = recordingBus(provider, SECRET);
      const items = NAMES.flatMap((name) => payloadOf(name).notificationItems);
      await deliver(requestOf({ body: textOf({ live: "false", notificationItems: items }) }));
      expect(seen.map((event) => (event as Item)["eventCode"])).to.deep.equal(NAMES);
    });

    it("answers 401 to what is not signed", async () => {
      const { deliver, seen } = recordingBus(provider, OTHER);
      const { status, outcome } = await deliver(requestOf({ body: textOf(payloadOf()) }));
      expect({ status, outcome, seen }).to.deep.equal({ status: 401, outcome: "rejected", seen: [] });
    });
  });

  describe("for platforms", () => {
    const platform = adyen({ platform: true });
    const body = textOf(fixture("adyen/balancePlatform.transfer.created.json"));
    const signature = createHmac("sha256", Buffer.from(SECRET, "hex")).update(body).digest("base64");

    it("checks the header over the raw body", () => {
      const verdict = (headers: Record<string, string>, sent = body): unknown =>
        platform.verify(requestOf({ headers, body: sent }), {
          keys: keysOf(platform, OTHER, SECRET),
          now: 0,
          toleranceSeconds: 0,
        });
      expect(verdict({ hmacsignature: signature })).to.deep.equal(accepted("key 1"));
      expect(verdict({ HmacSignature: signature })).to.deep.equal(accepted("key 1"));
      expect(verdict({ hmacsignature: signature }, `${body} `)).to.deep.equal(refused("bad_signature"));
      expect(verdict({})).to.deep.equal(refused("missing_header"));
      expect(platform.sign(body, { secret: SECRET })).to.deep.equal({ hmacsignature: signature });
    });

    it("reads an event, whose id is the hash of its body", () => {
      const event = JSON.parse(body);
      const id = createHash("sha256").update(body).digest("hex");
      expect(platform.name).to.equal("adyen-platform");
      expect(platform.namespace).to.equal("adyen_platform_event");
      expect(platform.read(event, { request: requestOf({ body }) })).to.deep.equal({
        id,
        type: "balancePlatform.transfer.created",
        key: id,
        livemode: false,
        created: new Date("2026-11-20T08:14:03Z"),
        account: "ExamplePlatform",
        data: event.data,
        event,
      });
      const live = platform.read({ ...event, environment: "live" }, { request: requestOf({ body }) });
      expect((live as Envelope).livemode).to.equal(true);
      const odd = platform.read({ ...event, environment: "?" }, { request: requestOf({ body }) });
      expect((odd as Envelope).livemode).to.equal(undefined);
      expect(() => platform.read({ type: "a.b" })).to.throw(PayloadError, "has `data`");
      expect(() => platform.read(event)).to.throw(PayloadError);
    });

    it("runs once on a bus", async () => {
      const { deliver, seen } = recordingBus(platform, SECRET);
      const request = requestOf({ body, headers: { hmacsignature: signature } });
      const { outcome, body: answer } = await deliver(request);
      expect({ outcome, answer }).to.deep.equal({ outcome: "handled", answer: "[accepted]" });
      expect((await deliver(request)).outcome).to.equal("duplicate");
      expect(seen).to.have.length(1);
    });
  });
});
