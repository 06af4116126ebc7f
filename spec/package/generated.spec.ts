import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { eventTypes, generatedTypes } from "../../tools/generate-types.ts";
import { ROOT } from "./stage.ts";

const PROVIDERS = join(ROOT, "src", "providers");

describe("the files that npm run generate writes", () => {
  for (const [path, text] of generatedTypes()) {
    it(`hold ${path} as it is`, () => {
      expect(readFileSync(join(ROOT, path), "utf8"), "run `npm run generate`").to.equal(text);
    });
  }

  it("are all those that say so", () => {
    const saying = readdirSync(PROVIDERS, { withFileTypes: true })
      .filter(
        (entry) => entry.isFile() && /^\/\/ Generated from/.test(readFileSync(join(PROVIDERS, entry.name), "utf8")),
      )
      .map((entry) => `src/providers/${entry.name}`);
    expect([...generatedTypes().keys()].sort()).to.deep.equal(saying.sort());
  });
});

describe("the lists of event types", () => {
  for (const file of readdirSync(join(ROOT, "fixtures", "event-types"))) {
    it(`name no type twice in ${file}, and none with a blank in it`, () => {
      const types = eventTypes(file.slice(0, -".txt".length));
      expect(types.length).to.be.greaterThan(0);
      expect(new Set(types).size).to.equal(types.length);
      for (const type of types) expect(type).to.match(/^[\w.[\]]+$/);
    });
  }

  it("hold nothing that the Stripe SDK has no type for", () => {
    const resources = join(ROOT, "node_modules", "stripe", "esm", "resources");
    const snapshot = typesIn(join(resources, "Events.d.ts"));
    const thin = typesIn(join(resources, "V2", "Core", "Events.d.ts"));
    expect(eventTypes("stripe-snapshot").filter((type) => !snapshot.has(type))).to.deep.equal([]);
    expect(eventTypes("stripe-thin").filter((type) => !thin.has(type))).to.deep.equal([]);
  });

  it("hold the topics that Kopo Kopo's types know, and no other", () => {
    const text = readFileSync(join(PROVIDERS, "kopokopo-events.ts"), "utf8");
    const [, union = ""] = /^export type KopoKopoTopic =([^;]*);/m.exec(text) ?? [];
    const topics = [...union.matchAll(/"(\w+)"/g)].map(([, topic]) => topic);
    expect(topics.sort()).to.deep.equal([...eventTypes("kopokopo")].sort());
  });
});

/** The event types that a file of declarations gives to the `type` of an event. */
function typesIn(path: string): ReadonlySet<string> {
  return new Set([...readFileSync(path, "utf8").matchAll(/^ *type: '([^']+)';$/gm)].map(([, type]) => type as string));
}
