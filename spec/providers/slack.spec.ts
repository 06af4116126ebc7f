import { expect } from "chai";
import { PayloadError } from "../../src/errors.ts";
import { notifications } from "../../src/notifications.ts";
import { SlackEvent, slack } from "../../src/slack.ts";
import { providerContract } from "./contract.ts";
import { form, NOW, refused, rig, sample, VERIFIED } from "./rig.ts";

const SECRET = "8f742231b10e8888abcd99yyyzzz85a5";
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const JOIN = sample("slack/message.channel_join.json");
const ACTIONS = sample("slack/block_actions.json");
const COMMAND = {
  token: "t",
  team_id: "T061EG9R6",
  channel_id: "C0LAN2Q65",
  user_id: "U061F7AUR",
  command: "/deploy-it",
  text: "now & then",
  response_url: "https://hooks.slack.com/commands/1",
  trigger_id: "398738663015.47445629121.803a",
};

const provider = slack();
const { deliver, verify, read, open, objection } = rig(provider, { secret: SECRET });

describe("slack", () => {
  it("says what it is", () => {
    expect(provider).to.include({ name: "slack", namespace: "slack_event", delimiter: ".", toleranceSeconds: 300 });
    expect(provider.methods).to.deep.equal(["POST"]);
    expect(provider.summary).to.deep.equal({
      headers: ["x-slack-signature"],
      algorithms: ["HMAC-SHA-256, hex"],
      content: "v0:{timestamp}:{body}",
      secrets: ["text, as it stands"],
    });
    expect(provider.success).to.deep.equal({ status: 200, headers: {}, body: "" });
  });

  it("has a ready-made bus on the shared notifications", () => {
    expect(SlackEvent.name).to.equal("slack");
    expect(SlackEvent.notifications).to.equal(notifications);
  });

  it("takes five minutes either way, inclusive, unlike Slack's own package", () => {
    const request = deliver(JOIN);
    for (const seconds of [-300, 0, 300]) expect(verify(request, NOW + seconds * 1000)).to.deep.equal(VERIFIED);
    expect(verify(request, NOW + 301_000)).to.deep.equal(refused("timestamp_too_old"));
    expect(verify(request, NOW - 301_000)).to.deep.equal(refused("timestamp_in_future"));
  });

  it("refuses another version and a header without one", () => {
    const request = deliver(JOIN);
    const signature = String(request.headers["x-slack-signature"]);
    const swap = (text: string) => verify({ ...request, headers: { ...request.headers, "x-slack-signature": text } });
    expect(swap(signature.replace("v0=", "v1="))).to.deep.equal(refused("no_expected_scheme"));
    expect(swap(signature.replace("v0=", ""))).to.deep.equal(refused("malformed_header"));
    expect(swap(signature.toUpperCase().replace("V0=", "v0="))).to.deep.equal(refused("bad_signature"));
  });

  it("reads an event of the Events API: the inner type with its subtype", () => {
    expect(read(deliver(JOIN))).to.deep.equal([
      {
        id: "Ev0PV52K21",
        type: "message.channel_join",
        key: "Ev0PV52K21",
        livemode: undefined,
        created: new Date(NOW),
        account: "T061EG9R6",
        data: JOIN["event"],
        event: JOIN,
      },
    ]);
    expect(read(deliver(sample("slack/app_mention.json")))[0]).to.include({ type: "app_mention", id: "Ev0PV52K25" });
  });

  it("reads a slash command, whose name may be any characters", () => {
    const request = deliver(form(COMMAND), { headers: FORM });
    const [envelope] = read(request);
    expect(envelope).to.include({ type: "command.deploy-it", id: COMMAND.trigger_id, account: "T061EG9R6" });
    expect(envelope?.event).to.include({ command: "/deploy-it", text: "now & then" });
    expect(envelope?.data).to.equal(envelope?.event);
    expect(envelope?.key).to.match(/^[0-9a-f]{64}$/);
    const odd = deliver(form({ ...COMMAND, command: "/a.b/ñ" }));
    expect(read(odd)[0]?.type).to.equal("command.a_b__");
  });

  it("reads interactivity out of its field `payload`", () => {
    const [envelope] = read(deliver(form({ payload: JSON.stringify(ACTIONS) }), { headers: FORM }));
    expect(envelope).to.include({ type: "block_actions", id: ACTIONS["trigger_id"], account: "T061EG9R6" });
    expect(envelope?.event).to.deep.equal(ACTIONS);
  });

  it("reads what has no id under the hash of its body", () => {
    const limited = { type: "app_rate_limited", team_id: "T1", api_app_id: "A1", minute_rate_limited: 1_700_000_000 };
    const [envelope] = read(deliver(limited));
    expect(envelope).to.include({ type: "app_rate_limited", account: "T1" });
    expect(envelope?.id)
      .to.match(/^[0-9a-f]{64}$/)
      .and.to.equal(envelope?.key);
    expect(read(deliver({ ...limited, minute_rate_limited: 1_700_000_060 }))[0]?.id).not.to.equal(envelope?.id);
    expect(provider.read(limited))
      .to.have.property("id")
      .that.matches(/^[0-9a-f]{64}$/);
  });

  it("tells a form from JSON by the signed bytes, not by the content type", async () => {
    const forged = encodeURIComponent(JSON.stringify({ type: "view_submission", trigger_id: "1" }));
    const quoting = { ...JOIN, event: { type: "message", text: `&payload=${forged}&ssl_check=1&` } };
    const { bus, seen } = open();
    expect(await bus.receive(deliver(quoting, { headers: FORM }))).to.include({ outcome: "handled" });
    expect(seen).to.deep.equal(["message"]);
    const [envelope] = read(deliver(form(COMMAND), { headers: { "content-type": "application/json" } }));
    expect(envelope?.type).to.equal("command.deploy-it");
  });

  it("reads nothing that is no event of Slack's", () => {
    const odd = [{}, [], null, { type: "event_callback", event_id: "Ev1" }, { type: 5, event_id: "Ev1" }];
    for (const body of [
      ...odd,
      { ...JOIN, event: {} },
      { ...JOIN, event_id: 5 },
      { ...JOIN, event: { subtype: "x" } },
    ]) {
      expect(() => read(deliver(body)), JSON.stringify(body)).to.throw(PayloadError);
    }
    expect(() => read(deliver("payload=%7B"))).to.throw(PayloadError, "the body is not JSON");
    expect(() => read(deliver("a=1"))).to.throw(PayloadError);
  });

  it("answers url_verification, once it is verified", async () => {
    const { bus, seen } = open();
    const challenge = sample("slack/url_verification.json");
    const receipt = await bus.receive(deliver(challenge));
    expect(receipt).to.deep.equal({
      status: 200,
      headers: { "content-type": "application/json" },
      body: `{"challenge":"${challenge["challenge"]}"}`,
      outcome: "challenge",
    });
    expect(await bus.receive(deliver(challenge, { secret: "another" }))).to.include({ status: 401 });
    expect(await bus.receive(deliver({ type: "url_verification", challenge: 5 }))).to.include({ status: 400 });
    expect(seen).to.deep.equal([]);
  });

  it("answers ssl_check, which comes unsigned, and dispatches nothing", async () => {
    const { bus, seen } = open();
    const check = { method: "POST", url: "/", headers: FORM, body: Buffer.from("ssl_check=1&token=t") };
    const answered = { status: 200, headers: {}, body: "", outcome: "challenge" };
    expect(await bus.receive(check)).to.deep.equal(answered);
    expect(await bus.receive(deliver("ssl_check=1&token=t"))).to.deep.equal(answered);
    const long = (length: number) => "ssl_check=1&a=".padEnd(length, "x");
    for (const body of ["ssl_check=0", "ssl_check=11", "xssl_check=1", '{"a":"&ssl_check=1"}', long(4097)]) {
      expect(await bus.receive({ ...check, body: Buffer.from(body) }), body.slice(0, 30)).to.include({ status: 401 });
    }
    expect(await bus.receive({ ...check, body: Buffer.from(long(4096)) })).to.include({ outcome: "challenge" });
    expect(seen).to.deep.equal([]);
  });

  it("runs a subscriber once for an event, whatever the retry headers say", async () => {
    const { bus, seen } = open();
    expect(await bus.receive(deliver(JOIN))).to.deep.include({
      status: 200,
      headers: {},
      body: "",
      outcome: "handled",
    });
    const headers = { "x-slack-retry-num": "1", "x-slack-retry-reason": "http_timeout" };
    const again = await bus.receive(deliver(JOIN, { headers, now: NOW + 60_000 }));
    expect(again).to.deep.include({ status: 200, outcome: "duplicate" });
    expect(seen).to.deep.equal(["message.channel_join"]);
  });

  it("refuses a token as its secret, without repeating it", () => {
    for (const token of ["xoxb-secret", "xoxp-secret", "xapp-secret"]) {
      expect(objection(token)).to.equal(
        `\`signingSecrets\` holds a token (${token.slice(0, 4)}…): ` +
          "the signing secret stands under Basic Information, App Credentials",
      );
    }
    expect(objection("")).to.include("is empty");
    expect(objection(SECRET)).to.equal("");
  });
});

providerContract(slack, [
  { name: "an event", secret: SECRET, otherSecret: "another", body: JSON.stringify(JOIN) },
  { name: "a slash command", secret: SECRET, otherSecret: "another", body: form(COMMAND), headers: FORM },
]);
