import { createHash } from "node:crypto";
import { expect } from "chai";
import { ConfigurationError, PayloadError } from "../../src/errors.ts";
import { notifications } from "../../src/notifications.ts";
import { TwilioEvent, twilio } from "../../src/twilio.ts";
import { providerContract } from "./contract.ts";
import { form, NOW, refused, rig, sample, VERIFIED } from "./rig.ts";
import { workOf } from "./work.ts";

const TOKEN = "12345";
const URL_ = "https://mycompany.com/sms?foo=1&bar=2";
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const RECEIVED = sample<Record<string, string>>("twilio/message.received.json");
const DELIVERED = sample<Record<string, string>>("twilio/message.delivered.json");
const CALL = sample<Record<string, string>>("twilio/call.completed.json");
const STREAM = JSON.stringify(sample("twilio/event-streams.json"));
const hashed = (body: string, url = "https://mycompany.com/sink"): string =>
  `${url}?bodySHA256=${createHash("sha256").update(body).digest("hex")}`;

const provider = twilio();
const { deliver, verify, read, open, objection } = rig(provider, { secret: TOKEN });
const post = (fields: Record<string, string>, url = URL_) => deliver(form(fields), { url, headers: FORM });

describe("twilio", () => {
  it("says what it is", () => {
    expect(provider).to.include({ name: "twilio", namespace: "twilio_event", delimiter: ".", toleranceSeconds: 0 });
    expect(provider.methods).to.deep.equal(["POST", "GET"]);
    expect(provider.summary).to.deep.equal({
      headers: ["x-twilio-signature"],
      algorithms: ["HMAC-SHA-1, base64"],
      content: "{url}{sorted form fields}",
      secrets: ["text, as it stands"],
    });
  });

  it("has a ready-made bus on the shared notifications", () => {
    expect(TwilioEvent.name).to.equal("twilio");
    expect(TwilioEvent.notifications).to.equal(notifications);
  });

  describe("verify", () => {
    it("takes the documented delivery, its fields in any order", () => {
      const fields = ["To=%2B18005551212", "Digits=1234", "From=%2B14158675309", "CallSid=CA1234567890ABCDE"];
      const request = {
        method: "POST",
        url: "https://mycompany.com/myapp.php?foo=1&bar=2",
        headers: { "x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8=" },
        body: Buffer.from([...fields, "Caller=%2B14158675309"].join("&")),
      };
      expect(verify(request)).to.deep.equal(VERIFIED);
      expect(verify({ ...request, body: Buffer.from(fields.join("&")) })).to.deep.equal(refused("bad_signature"));
    });

    it("takes the port with which the URL was signed, and the one that it lacks", () => {
      const at = (origin: string) => `${origin}/sms?foo=1`;
      const signedFor = (origin: string) => post(RECEIVED, at(origin));
      const seenAt = (origin: string, seen: string) => verify({ ...signedFor(origin), url: at(seen) }).verified;
      expect(seenAt("https://a.test", "https://a.test:8443")).to.equal(true);
      expect(seenAt("https://a.test:443", "https://a.test")).to.equal(true);
      expect(seenAt("http://a.test:80", "http://a.test")).to.equal(true);
      expect(seenAt("https://u:1@a.test:443", "https://u:1@a.test")).to.equal(true);
      expect(seenAt("https://A.test", "https://A.test")).to.equal(true);
      expect(seenAt("https://a.test:80", "https://a.test")).to.equal(false);
      expect(seenAt("http://a.test:443", "http://a.test")).to.equal(false);
      expect(seenAt("https://a.test", "http://a.test")).to.equal(false);
      expect(seenAt("https://a.test", "https://b.test")).to.equal(false);
      expect(verify({ ...signedFor("https://a.test:443"), url: "https://a.test/sms?foo=2" }).verified).to.equal(false);
    });

    it("takes the host from its header where the URL is only a path, and never from X-Forwarded-Host", () => {
      const request = { ...post(RECEIVED), url: "/sms?foo=1&bar=2" };
      const from = (headers: Record<string, string>) =>
        verify({ ...request, headers: { ...request.headers, ...headers } });
      expect(from({ host: "mycompany.com" })).to.deep.equal(VERIFIED);
      expect(from({ host: "mycompany.com:8443" })).to.deep.equal(VERIFIED);
      expect(from({ host: "inside", "x-forwarded-host": "mycompany.com" })).to.deep.equal(refused("bad_signature"));
      expect(from({})).to.deep.equal(refused("bad_signature"));
    });

    it("takes a body as a form whatever its content type, so that nothing is unsigned", () => {
      const headers = { "content-type": "application/json" };
      expect(verify({ ...post(RECEIVED), headers: { ...post(RECEIVED).headers, ...headers } })).to.deep.equal(VERIFIED);
      const empty = deliver("", { url: URL_ });
      expect(verify(empty)).to.deep.equal(VERIFIED);
      const filled = { ...empty, headers: { ...empty.headers, ...headers }, body: Buffer.from('{"MessageSid":"SM1"}') };
      expect(verify(filled)).to.deep.equal(refused("bad_signature"));
    });

    it("checks the hash of a JSON body, once the URL that holds it is verified", () => {
      const request = deliver(STREAM, { url: hashed(STREAM) });
      expect(verify(request)).to.deep.equal(VERIFIED);
      expect(verify({ ...request, body: Buffer.from("[]") })).to.deep.equal(refused("bad_body_hash"));
      expect(verify({ ...request, url: hashed("[]"), body: Buffer.from("[]") })).to.deep.equal(
        refused("bad_signature"),
      );
    });

    it("takes a hash only where Twilio puts it, last: a text message could hold one", () => {
      const evil = JSON.stringify({ MessageSid: "SMevil", MessageStatus: "delivered" });
      const hash = createHash("sha256").update(evil).digest("hex");
      const url = "https://mycompany.com/sms?a=1";
      const body = new URLSearchParams({ Body: `&bodySHA256=${hash}&`, To: "+15551234567" }).toString();
      const genuine = deliver(body, { url });
      expect(verify(genuine)).to.deep.equal(VERIFIED);
      const moved = `${url}Body&bodySHA256=${hash}&To+15551234567`;
      expect(verify({ ...genuine, url: moved, body: Buffer.from(evil) })).to.deep.equal(refused("bad_signature"));
      for (const odd of [`${hashed(STREAM)}&bodySHA256=0`, "https://mycompany.com/sink?bodySHA256="]) {
        const request = deliver("", { url: odd });
        expect(verify(request)).to.deep.equal(VERIFIED);
        expect(verify({ ...request, body: Buffer.from(STREAM) })).to.deep.equal(refused("bad_signature"));
      }
    });

    it("takes no more of a Host header than a host", () => {
      const genuine = deliver("", { url: "https://mycompany.com/sms" });
      const path = { ...genuine, url: "/sms", headers: { ...genuine.headers, host: "mycompany.com" } };
      expect(verify(path)).to.deep.equal(VERIFIED);
      const moved = { ...genuine, url: "/", headers: { ...genuine.headers, host: "mycompany.com/sms?x=" } };
      expect(verify(moved)).to.deep.equal(refused("bad_signature"));
    });

    it("takes no GET with a body, into which the end of its query could be moved", () => {
      const genuine = deliver("", { url: `https://mycompany.com/sms?${form(DELIVERED)}`, method: "GET" });
      expect(verify(genuine)).to.deep.equal(VERIFIED);
      const moved = { ...genuine, url: genuine.url.slice(0, -3), body: Buffer.from(genuine.url.slice(-3)) };
      expect(verify(moved)).to.deep.equal(refused("malformed_header"));
    });

    it("reads the fields once, whatever the ports that are tried", () => {
      const genuine = post(RECEIVED);
      const fields = Object.keys(RECEIVED).length;
      expect(workOf(() => verify(genuine))).to.deep.equal({ forms: 1, fields, hmacs: 1 });
      const forged = { ...genuine, headers: { "x-twilio-signature": Buffer.alloc(20).toString("base64") } };
      expect(workOf(() => verify(forged))).to.deep.equal({ forms: 1, fields, hmacs: 2 });
    });

    it("reads no form with a thousand fields, and no field where there is nothing to compare", () => {
      const signature = { "x-twilio-signature": Buffer.alloc(20).toString("base64") };
      const body = Buffer.from("a&".repeat(500_000));
      const large = { method: "POST", url: URL_, headers: signature, body };
      expect(verify(large)).to.deep.equal(refused("malformed_header"));
      expect(workOf(() => verify(large))).to.deep.equal({ forms: 0, fields: 0, hmacs: 0 });
      const odd = { ...post(RECEIVED), headers: { "x-twilio-signature": "AAAA" } };
      expect(workOf(() => verify(odd))).to.deep.equal({ forms: 0, fields: 0, hmacs: 0 });
      const most = deliver("a=1&".repeat(998).concat("b=2"), { url: URL_ });
      expect(verify(most)).to.deep.equal(VERIFIED);
      const more = { ...most, body: Buffer.from("a=1&".repeat(999).concat("b=2")) };
      expect(verify(more)).to.deep.equal(refused("malformed_header"));
    });

    it("refuses bytes that are no text in a form", () => {
      const request = { ...post(RECEIVED), body: Buffer.from([0x61, 0x3d, 0xff]) };
      expect(verify(request)).to.deep.equal(refused("malformed_header"));
    });
  });

  describe("`publicUrl`", () => {
    const behind = (publicUrl: string) => rig(twilio({ publicUrl }), { secret: TOKEN });

    it("replaces the origin, and the path if it has one, and keeps the query", () => {
      const request = { ...post(RECEIVED), url: "http://10.0.0.1:3000/sms?foo=1&bar=2" };
      expect(verify(request)).to.deep.equal(refused("bad_signature"));
      for (const publicUrl of ["https://mycompany.com", "https://mycompany.com/", "https://mycompany.com/sms"]) {
        expect(behind(publicUrl).verify(request), publicUrl).to.deep.equal(VERIFIED);
        expect(behind(publicUrl).verify({ ...request, url: "/sms?foo=1&bar=2" }), publicUrl).to.deep.equal(VERIFIED);
        expect(behind(publicUrl).verify({ ...request, url: "/sms?foo=2" }).verified, publicUrl).to.equal(false);
      }
      const moved = { ...request, url: "/hooks/sms?foo=1&bar=2" };
      expect(behind("https://mycompany.com/sms").verify(moved)).to.deep.equal(VERIFIED);
      expect(behind("https://mycompany.com").verify(moved)).to.deep.equal(refused("bad_signature"));
    });

    it("is what `sign` signs for", () => {
      const { deliver: send, verify: check } = behind("https://mycompany.com/sms");
      expect(check(send(form(RECEIVED), { url: "/inside?a=1" }))).to.deep.equal(VERIFIED);
    });

    it("must be an http or https URL without a query or a fragment", () => {
      for (const publicUrl of ["", "mycompany.com", "ftp://a.test", "https://", "https://a.test/#x", 5 as never]) {
        expect(() => twilio({ publicUrl }), publicUrl).to.throw(
          ConfigurationError,
          "`publicUrl` must be the endpoint's",
        );
      }
      expect(() => twilio({ publicUrl: "https://a.test/?b=1" })).to.throw(
        ConfigurationError,
        "`publicUrl` has a query",
      );
    });
  });

  describe("read", () => {
    it("finds what a message's form says", () => {
      const [envelope] = read(post(RECEIVED));
      const sid = "SM00000000000000000000000000000001";
      expect(envelope).to.include({ id: `${sid}:received`, type: "message.received", account: RECEIVED["AccountSid"] });
      expect(envelope?.key).to.match(/^[0-9a-f]{64}$/);
      expect({ ...(envelope?.event as object) }).to.deep.equal(RECEIVED);
      expect(envelope?.data).to.equal(envelope?.event);
      expect(envelope?.unsigned).to.equal(undefined);
    });

    it("prefers the status callback's own status, and dates a call", () => {
      expect(read(post({ ...DELIVERED, SmsStatus: "sent" }))[0]?.type).to.equal("message.delivered");
      expect(read(post(CALL))[0]).to.deep.include({
        id: "CA00000000000000000000000000000001:completed",
        type: "call.completed",
        created: new Date(NOW),
      });
    });

    it("knows what else there is", () => {
      const types: readonly (readonly [Record<string, string>, string, string?])[] = [
        [{ CallSid: "CA1", RecordingSid: "RE1", RecordingStatus: "completed" }, "recording.completed", "RE1:completed"],
        [
          { CallSid: "CA1", TranscriptionSid: "TR1", TranscriptionStatus: "failed" },
          "transcription.failed",
          "TR1:failed",
        ],
        [
          { ConferenceSid: "CF1", StatusCallbackEvent: "participant-join" },
          "conference.participant-join",
          "CF1:participant-join",
        ],
        [{ RoomSid: "RM1", StatusCallbackEvent: "room-created" }, "room.room-created", "RM1:room-created"],
        [{ SmsSid: "SM1", SmsStatus: "sent" }, "message.sent", "SM1:sent"],
        [{ EventType: "task.created", TaskSid: "WT1" }, "task.created"],
        [{ EventType: "onMessageAdded", MessageSid: "IM1" }, "onMessageAdded", "IM1"],
        [{ EventType: "a b", CallSid: "CA1", CallStatus: "in-progress" }, "call.in-progress", "CA1:in-progress"],
        [{ CallSid: "CA1", CallStatus: "a.b c" }, "call.a_b_c", "CA1:a_b_c"],
        [{ CallSid: "CA1" }, "call", "CA1"],
        [{ CallSid: "CA/1", CallStatus: "x" }, "webhook"],
        [{ Sid: "NO1", Level: "ERROR" }, "webhook"],
      ];
      for (const [fields, type, id] of types) {
        const [envelope] = read(post(fields));
        expect(envelope?.type).to.equal(type);
        expect(envelope?.id, type).to.equal(id ?? envelope?.key);
      }
    });

    it("reads a GET out of its query, all of which is signed", () => {
      const url = `https://mycompany.com/sms?${form(DELIVERED)}`;
      const request = deliver("", { url, method: "GET" });
      expect(verify(request)).to.deep.equal(VERIFIED);
      expect(read(request)[0]).to.include({ type: "message.delivered", id: `${DELIVERED["MessageSid"]}:delivered` });
      expect(read(deliver("", { url: "https://mycompany.com/sms", method: "GET" }))[0]?.type).to.equal("webhook");
    });

    it("reads a list of CloudEvents", () => {
      const envelopes = read(deliver(STREAM, { url: hashed(STREAM) }));
      expect(envelopes.map(({ id, type }) => [id, type])).to.deep.equal([
        ["EZ00000000000000000000000000000001", "com.twilio.messaging.message.delivered"],
        ["EZ00000000000000000000000000000002", "com.twilio.messaging.message.sent"],
      ]);
      expect(envelopes[0]).to.deep.include({
        key: `${JSON.parse(STREAM)[0].source}#EZ00000000000000000000000000000001`,
        created: new Date(NOW),
        data: JSON.parse(STREAM)[0].data,
        event: JSON.parse(STREAM)[0],
      });
    });

    it("takes no form for a CloudEvent", () => {
      const fields = { specversion: "1.0", type: "x.y", source: "s", id: "1" };
      expect(read(post(fields))[0]?.type).to.equal("webhook");
      expect(provider.read(fields)).to.have.nested.property("[0].type", "x.y");
    });

    it("keeps the items of a JSON list apart that are no CloudEvents", () => {
      const body = JSON.stringify([{ a: 1 }, { a: 2 }]);
      const [one, two] = read(deliver(body, { url: hashed(body) }));
      expect(one?.type).to.equal("webhook");
      expect(one?.key).not.to.equal(two?.key);
    });

    it("takes nothing out of a fragment, which is not signed", () => {
      const request = post(RECEIVED);
      const odd = { ...request, url: `${URL_}#?bodySHA256=0` };
      expect(verify(odd)).to.deep.equal(VERIFIED);
      expect(read(odd)).to.deep.equal(read(request));
      const get = deliver("", { url: "https://mycompany.com/sms?a=1", method: "GET" });
      const [envelope] = read({ ...get, url: `${get.url}#?CallSid=CA1&b=2` });
      expect({ ...(envelope?.event as object) }).to.deep.equal({ a: "1" });
      const bare = deliver("", { url: "https://mycompany.com/sms", method: "GET" });
      expect({ ...(read({ ...bare, url: `${bare.url}#?b=2` })[0]?.event as object) }).to.deep.equal({});
    });

    it("refuses what is no event", () => {
      for (const body of [
        "[]",
        "null",
        "5",
        "{",
        '[{"specversion":"1.0","id":"x"}]',
        '[{"specversion":"1.0","source":"s"}]',
      ]) {
        expect(() => read(deliver(body, { url: hashed(body) })), body).to.throw(PayloadError);
      }
    });
  });

  describe("a duplicate", () => {
    const keyOf = (fields: string, url = URL_) => read(deliver(fields, { url }))[0]?.key;

    it("is what was signed alike, however its fields are cut or its URL is reached", () => {
      const key = keyOf("CallSid=CA1&Caller=x");
      expect(keyOf("Caller=x&CallSid=CA1")).to.equal(key);
      expect(keyOf("CallSidCA1=Callerx")).to.equal(key);
      expect(keyOf("", `${URL_}CallSidCA1Callerx`)).to.equal(key);
      expect(keyOf("CallSid=CA1&Caller=x", URL_.replace("https://mycompany.com", "http://b:8080"))).to.equal(key);
      expect(keyOf("CallSid=CA1&Caller=y")).not.to.equal(key);
      expect(keyOf("CallSid=CA1&Caller=x", `${URL_}&x=1`)).not.to.equal(key);
    });

    it("is told by the public URL's path where the request's is not signed", () => {
      const { read: readBehind } = rig(twilio({ publicUrl: "https://mycompany.com/sms" }), { secret: TOKEN });
      const at = (url: string) => readBehind({ ...post(RECEIVED), url })[0]?.key;
      expect(at("/a")).to.equal(at("/b"));
      expect(at("/a")).not.to.equal(at("/a?x=1"));
    });

    it("is not run again, while each status is an event of its own", async () => {
      const { bus, seen } = open();
      const twiml = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>';
      expect(await bus.receive(post(DELIVERED))).to.deep.equal({
        status: 200,
        headers: { "content-type": "text/xml" },
        body: twiml,
        outcome: "handled",
      });
      const fresh = { ...post(DELIVERED).headers, "i-twilio-idempotency-token": "2" };
      expect(await bus.receive({ ...post(DELIVERED), headers: fresh })).to.deep.include({
        body: twiml,
        outcome: "duplicate",
      });
      expect(await bus.receive(post({ ...DELIVERED, MessageStatus: "read" }))).to.include({ outcome: "handled" });
      expect(seen).to.deep.equal(["message.delivered", "message.read"]);
    });
  });

  it("refuses a SID as its secret, without repeating it", () => {
    const sid = `AC${"0123456789abcdef".repeat(2)}`;
    expect(objection(sid)).to.equal(
      "`signingSecrets` holds a SID (AC…): deliveries are signed with the auth token of the account",
    );
    expect(objection(sid.replace("AC", "SK"))).to.include("(SK…)");
    expect(objection(sid.slice(2))).to.equal("");
    expect(objection("")).to.include("is empty");
  });
});

providerContract(twilio, [
  { name: "a message", secret: TOKEN, otherSecret: "54321", body: form(RECEIVED), headers: FORM, url: URL_ },
  { name: "event streams", secret: TOKEN, otherSecret: "54321", body: STREAM, url: hashed(STREAM), events: 2 },
]);
