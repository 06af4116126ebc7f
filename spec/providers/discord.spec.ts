import { createPrivateKey, createPublicKey } from "node:crypto";
import { expect } from "chai";
import { discord } from "../../src/discord.ts";
import { PayloadError } from "../../src/errors.ts";
import { providerContract } from "./contract.ts";
import { NOW, refused, rig, sample, VERIFIED } from "./rig.ts";

/** The hex of the public key of a seed in hex. */
function publicOf(seed: string): string {
  const key = createPrivateKey({
    key: Buffer.from(`302e020100300506032b657004220420${seed}`, "hex"),
    format: "der",
    type: "pkcs8",
  });
  return createPublicKey(key).export({ type: "spki", format: "der" }).subarray(-32).toString("hex");
}

const SEED = "01".repeat(32);
const KEYS = { secret: SEED, verifying: publicOf(SEED) };
const COMMAND = sample("discord/interaction.application_command.json");
const AUTHORIZED = sample("discord/event.application_authorized.json");

const provider = discord();
const { deliver, verify, read, open, objection } = rig(provider, KEYS);

describe("discord", () => {
  it("says what it is", () => {
    expect(provider).to.include({ name: "discord", namespace: "discord_event", delimiter: "." });
    expect(provider.toleranceSeconds).to.equal(Number.POSITIVE_INFINITY);
    expect(provider.summary).to.deep.equal({
      headers: ["x-signature-ed25519"],
      algorithms: ["Ed25519, hex"],
      content: "{timestamp}{body}",
      secrets: ["64 hex digits"],
    });
    expect(provider.success).to.deep.equal({
      status: 200,
      headers: { "content-type": "application/json" },
      body: '{"type":5}',
    });
  });

  it("asks no timestamp for its age, unless the bus sets a tolerance", () => {
    const request = deliver(COMMAND);
    for (const now of [0, NOW, NOW * 2]) expect(verify(request, now)).to.deep.equal(VERIFIED);
    expect(verify(request, NOW + 301_000, 300)).to.deep.equal(refused("timestamp_too_old"));
    expect(verify(request, NOW - 301_000, 300)).to.deep.equal(refused("timestamp_in_future"));
    expect(verify(request, NOW + 300_000, 300)).to.deep.equal(VERIFIED);
  });

  it("answers the probes with bad signatures, by which Discord tries an endpoint, with 401", async () => {
    const { bus, seen } = open();
    const ping = deliver(sample("discord/ping.json"));
    const signature = String(ping.headers["x-signature-ed25519"]);
    for (const bad of ["00".repeat(64), "zz", signature.toUpperCase(), undefined]) {
      const headers = { ...ping.headers, "x-signature-ed25519": bad };
      expect(await bus.receive({ ...ping, headers })).to.include({ status: 401 });
    }
    expect(await bus.receive(ping)).to.deep.equal({
      status: 200,
      headers: { "content-type": "application/json" },
      body: '{"type":1}',
      outcome: "challenge",
    });
    expect(await bus.receive(deliver({ type: 0, version: 1, application_id: "1" }))).to.deep.equal({
      status: 204,
      headers: {},
      body: "",
      outcome: "challenge",
    });
    expect(seen).to.deep.equal([]);
  });

  it("reads an interaction, dated by its snowflake", () => {
    expect(read(deliver(COMMAND))).to.deep.equal([
      {
        id: "1173759361024000000",
        type: "interaction.application_command",
        key: "1173759361024000000",
        livemode: undefined,
        created: new Date("2023-11-13T23:00:39.062Z"),
        account: "290926798626357999",
        data: COMMAND["data"],
        event: COMMAND,
      },
    ]);
    const types = [3, 4, 5, 9].map((type) => read(deliver({ ...COMMAND, type }))[0]?.type);
    expect(types).to.deep.equal([
      "interaction.message_component",
      "interaction.application_command_autocomplete",
      "interaction.modal_submit",
      "interaction.9",
    ]);
    expect(read(deliver({ ...COMMAND, id: "abc" }))[0]?.created).to.equal(undefined);
  });

  it("reads a webhook event, which has no id, and is no PING for all its type of 1", async () => {
    const [envelope] = read(deliver(AUTHORIZED));
    expect(envelope).to.deep.include({ type: "event.application_authorized", data: AUTHORIZED["event"] });
    expect(envelope?.id)
      .to.match(/^[0-9a-f]{64}$/)
      .and.to.equal(envelope?.key);
    expect(envelope?.created).to.deep.equal(new Date("2023-11-14T22:13:20.614599"));
    const { bus, seen } = open();
    expect(await bus.receive(deliver(AUTHORIZED))).to.include({ status: 200, outcome: "handled" });
    expect(await bus.receive(deliver(AUTHORIZED, { now: NOW + 1000 }))).to.include({ outcome: "duplicate" });
    expect(seen).to.deep.equal(["event.application_authorized"]);
  });

  it("reads nothing else", () => {
    const odd = [{}, [], null, 5, { id: "1" }, { id: "1", type: "2" }, { type: 2 }, { id: "1", type: 2.5 }];
    for (const body of [...odd, { event: {} }, { event: { type: "" } }, { event: { type: { toString: null } } }]) {
      expect(() => provider.read(body, { request: deliver(body) }), JSON.stringify(body)).to.throw(PayloadError);
    }
  });

  it("defers the answer to an interaction, and runs it once", async () => {
    const { bus, seen } = open();
    expect(await bus.receive(deliver(COMMAND))).to.deep.include({
      status: 200,
      body: '{"type":5}',
      outcome: "handled",
    });
    const again = await bus.receive(deliver(COMMAND, { now: NOW + 5000 }));
    expect(again).to.deep.include({ status: 200, body: '{"type":5}', outcome: "duplicate" });
    expect(seen).to.deep.equal(["interaction.application_command"]);
  });

  it("takes the public key in hex, and nothing else", () => {
    expect(objection(KEYS.verifying)).to.equal("");
    expect(objection(KEYS.verifying.toUpperCase())).to.equal("");
    for (const odd of ["00", `${KEYS.verifying}00`, "z".repeat(64), Buffer.alloc(32, 7).toString("base64")]) {
      expect(objection(odd)).to.equal("`signingSecrets` must be 64 hex digits, an ed25519 public key");
    }
    expect(objection("")).to.include("is empty");
  });
});

const shared = { ...KEYS, verifyingSecret: KEYS.verifying, otherSecret: publicOf("02".repeat(32)) };
providerContract(discord, [
  { ...shared, name: "an interaction", body: JSON.stringify(COMMAND) },
  { ...shared, name: "a webhook event", body: JSON.stringify(AUTHORIZED) },
  { ...shared, name: "PING", body: '{"type":1}', events: 0 },
]);
