import { generateKeyPairSync } from "node:crypto";
import { expect } from "chai";
import { PayloadError } from "../../src/errors.ts";
import { notifications } from "../../src/notifications.ts";
import { SendGridEvent, sendgrid } from "../../src/sendgrid.ts";
import { providerContract } from "./contract.ts";
import { NOW, refused, rig, sample, VERIFIED } from "./rig.ts";

function keyPair() {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    secret: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    verifying: publicKey.export({ type: "spki", format: "der" }).toString("base64"),
  };
}

const KEYS = keyPair();
const BATCH = sample<Record<string, unknown>[]>("sendgrid/batch.json");
const [PROCESSED = {}, DELIVERED = {}, BOUNCE = {}] = BATCH;
/** As SendGrid joins and ends it. */
const BODY = `[${BATCH.map((event) => JSON.stringify(event)).join(",\r\n")}]\r\n`;

const provider = sendgrid();
const { deliver, verify, read, open, objection } = rig(provider, KEYS);

describe("sendgrid", () => {
  it("says what it is", () => {
    expect(provider).to.include({
      name: "sendgrid",
      namespace: "sendgrid_event",
      toleranceSeconds: Number.POSITIVE_INFINITY,
    });
    expect(provider.summary).to.deep.equal({
      headers: ["x-twilio-email-event-webhook-signature"],
      algorithms: ["ECDSA with SHA-256, base64"],
      content: "{timestamp}{body}",
      secrets: ["base64 (SPKI)"],
    });
    expect(provider.success).to.equal(undefined);
  });

  it("has a ready-made bus on the shared notifications", () => {
    expect(SendGridEvent.name).to.equal("sendgrid");
    expect(SendGridEvent.notifications).to.equal(notifications);
  });

  it("verifies the bytes: a batch that lost its line ends is another one", () => {
    const request = deliver(BODY);
    expect(verify(request)).to.deep.equal(VERIFIED);
    for (const body of [BODY.trimEnd(), BODY.replaceAll("\r\n", "\n"), JSON.stringify(BATCH)]) {
      expect(verify({ ...request, body: Buffer.from(body) })).to.deep.equal(refused("bad_signature"));
    }
  });

  it("asks no timestamp for its age, unless the bus sets a tolerance", async () => {
    const request = deliver(BODY);
    const [year, late] = [365 * 86_400_000, 301_000];
    for (const now of [0, NOW - year, NOW + year]) expect(verify(request, now)).to.deep.equal(VERIFIED);
    expect(verify(request, NOW + late, 300)).to.deep.equal(refused("timestamp_too_old"));
    expect(verify(request, NOW - late, 300)).to.deep.equal(refused("timestamp_in_future"));
    const { bus } = open(NOW + late);
    bus.tolerance = 300;
    expect(await bus.receive(request)).to.include({ status: 401 });
    bus.tolerance = 301;
    expect(await bus.receive(request)).to.include({ status: 200 });
  });

  it("signs the timestamp as it is written, number or not", () => {
    const name = "x-twilio-email-event-webhook-timestamp";
    const request = deliver(BODY);
    const at = (stamp: string | undefined, tolerance?: number) =>
      verify({ ...request, headers: { ...request.headers, [name]: stamp } }, NOW, tolerance);
    expect(request.headers[name]).to.equal("1700000000");
    expect(at("1700000001")).to.deep.equal(refused("bad_signature"));
    expect(at("timestamp")).to.deep.equal(refused("bad_signature"));
    expect(at("timestamp", 300)).to.deep.equal(refused("malformed_header"));
    expect(at(undefined)).to.deep.equal(refused("missing_header"));
    const moved = { ...request, body: Buffer.concat([Buffer.from("0"), request.body]) };
    expect(verify({ ...moved, headers: { ...request.headers, [name]: "170000000" } })).to.deep.equal(VERIFIED);
  });

  it("reads every event of the batch", () => {
    const envelopes = read(deliver(BODY));
    expect(envelopes.map(({ type }) => type)).to.deep.equal(["processed", "delivered", "bounce"]);
    expect(envelopes[0]).to.deep.equal({
      id: "ZXZ0LXByb2Nlc3NlZA",
      type: "processed",
      key: "ZXZ0LXByb2Nlc3NlZA",
      livemode: undefined,
      created: new Date(NOW),
      account: undefined,
      data: PROCESSED,
      event: PROCESSED,
    });
    expect(read(deliver(sample<unknown[]>("sendgrid/dropped.json")))[0]).to.include({ type: "dropped" });
    expect(provider.read(BOUNCE)).to.have.nested.property("[0].type", "bounce");
  });

  it("gives an event without a usable `sg_event_id` the hash of its content", () => {
    const { sg_event_id: _, ...nameless } = DELIVERED;
    const [one, two, three] = read(deliver([nameless, { ...nameless, ip: "1" }, nameless]));
    expect(one?.id)
      .to.match(/^[0-9a-f]{64}$/)
      .and.to.equal(one?.key);
    expect(two?.key).not.to.equal(one?.key);
    expect(three?.key).to.equal(one?.key);
    for (const odd of ["", "a/b", "a b", 5, "x".repeat(256)]) {
      expect(read(deliver([{ ...DELIVERED, sg_event_id: odd }]))[0]?.id).to.match(/^[0-9a-f]{64}$/);
    }
    for (const good of ["a-_+=", "x".repeat(255)]) {
      expect(read(deliver([{ ...DELIVERED, sg_event_id: good }]))[0]?.id).to.equal(good);
    }
  });

  it("refuses what is no list of events", () => {
    for (const body of [[], [5], [null], [{}], [{ event: "a b" }], 5, null, "x", [DELIVERED, {}]]) {
      expect(() => provider.read(body), JSON.stringify(body)).to.throw(PayloadError);
    }
    expect(() => provider.read(5)).to.throw("a SendGrid delivery is a list of events");
  });

  it("runs again only what failed, when the batch comes again", async () => {
    const { bus, seen } = open();
    let down = true;
    bus.subscribe("delivered", () => {
      if (down) throw new Error("down");
      seen.push("written");
    });
    expect(await bus.receive(deliver(BODY))).to.include({ status: 500, outcome: "failed" });
    expect(seen).to.deep.equal(["processed", "delivered", "bounce"]);
    down = false;
    expect(await bus.receive(deliver(BODY, { now: NOW + 60_000 }))).to.include({ status: 200, outcome: "handled" });
    expect(seen).to.deep.equal(["processed", "delivered", "bounce", "written"]);
    expect(await bus.receive(deliver(BODY))).to.include({ status: 200, outcome: "duplicate" });
    // In another batch, and in another order, they are still the same events.
    expect(await bus.receive(deliver([BOUNCE, DELIVERED]))).to.include({ outcome: "duplicate" });
    expect(seen).to.have.length(4);
  });

  it("takes the key as SendGrid shows it, and nothing else, without repeating it", () => {
    expect(objection(KEYS.verifying)).to.equal("");
    expect(objection("SG.abc.def")).to.equal(
      "`signingSecrets` holds an API key (SG.…): the verification key stands with the Event Webhook's security features",
    );
    for (const odd of ["abc", "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE"]) {
      expect(objection(odd)).to.equal("`signingSecrets` must be the base64 of a public key");
    }
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ type: "spki", format: "der" });
    expect(objection(rsa.toString("base64"))).to.include("`signingSecrets` must be an elliptic-");
    expect(objection("")).to.include("is empty");
  });
});

providerContract(sendgrid, [
  {
    name: "a batch",
    secret: KEYS.secret,
    verifyingSecret: KEYS.verifying,
    otherSecret: keyPair().verifying,
    body: BODY,
    events: 3,
  },
]);
