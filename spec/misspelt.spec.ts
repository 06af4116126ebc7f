import { expect } from "chai";
import { nodeHandler } from "../src/adapters/node.ts";
import { ConfigurationError } from "../src/errors.ts";
import { memoryInbox } from "../src/inbox/memory.ts";
import { redisInbox } from "../src/inbox/redis.ts";
import { createHub } from "../src/receiver/hub.ts";
import { anEvent, bytes, SECRET, signed, stripeBus } from "./receiver/harness.ts";

/** What TypeScript would refuse, and an application in JavaScript may have. */
const misspelt = (options: object): never => options as never;

describe("an option that is misspelt", () => {
  const cases: readonly (readonly [string, () => unknown])[] = [
    ["usrname", () => Object.assign(stripeBus(), { endpointAuth: { basic: { usrname: "me", password: "secret" } } })],
    ["relm", () => Object.assign(stripeBus(), { endpointAuth: { basic: { password: "secret" }, relm: "x" } })],
    ["tokn", () => Object.assign(stripeBus(), { endpointAuth: { bearer: "secret", tokn: "x" } })],
    [
      "notafter",
      () => Object.assign(stripeBus(), { signingSecrets: misspelt({ label: "a", secret: SECRET, notafter: 1 }) }),
    ],
    ["nmae", () => stripeBus().subscribe("charge.", () => undefined, misspelt({ nmae: "charges" }))],
    ["timeout", () => stripeBus().all(() => undefined, misspelt({ timeout: 5 }))],
    ["paht", () => nodeHandler(stripeBus(), misspelt({ paht: "/stripe" }))],
    ["prefx", () => createHub([stripeBus()], misspelt({ prefx: "/webhooks" }))],
    ["concurency", () => memoryInbox().work(stripeBus(), misspelt({ concurency: 4 }))],
  ];

  for (const [option, use] of cases) {
    it(`is refused: \`${option}\``, () => {
      expect(use).to.throw(ConfigurationError, option);
    });
  }

  it("is refused before anything is replayed", async () => {
    const inbox = memoryInbox();
    const bus = stripeBus();
    bus.inbox = inbox;
    bus.all(() => undefined, { name: "all" });
    const event = anEvent();
    await bus.receive({ method: "POST", url: "/", headers: signed(event), body: bytes(event) });
    const redis = redisInbox({ connection: { host: "127.0.0.1", port: 1 } });
    for (const each of [inbox, redis]) {
      const error = await each.replay({}, misspelt({ dryrun: true })).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(ConfigurationError);
      expect((error as Error).message)
        .to.include("dryrun")
        .and.include("dryRun");
    }
    await redis.close();
    await inbox.close();
  });
});

describe("a pattern", () => {
  for (const pattern of ["charge.*", "*", "charge succeeded", " charge.", "charge.\n"]) {
    it(`that matches nothing, though it looks as if it did, is refused: ${JSON.stringify(pattern)}`, () => {
      const bus = stripeBus();
      expect(() => bus.subscribe(pattern, () => undefined)).to.throw(TypeError, "wildcards");
      expect(() => bus.once(pattern, () => undefined)).to.throw(TypeError, "wildcards");
      expect(() => nodeHandler(bus, { types: [pattern] })).to.throw(ConfigurationError, "wildcards");
    });
  }
});
