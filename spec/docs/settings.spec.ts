import { expect } from "chai";
import { ConfigurationError, EventBus } from "../../src/index.ts";
import { stripe } from "../../src/providers/stripe.ts";
import { page, rowsByCode } from "./pages.ts";

/** Every property of a bus that can be set. */
function settables(): string[] {
  const names: string[] = [];
  for (let proto = EventBus.prototype; proto !== Object.prototype; proto = Object.getPrototypeOf(proto)) {
    for (const [name, { get, set }] of Object.entries(Object.getOwnPropertyDescriptors(proto))) {
      if (get && set) names.push(name);
    }
  }
  return names.sort();
}

const [, busSettings = ""] = /^## Settings of a bus\n([\s\S]*?)^## /m.exec(page("docs/settings.md").text) ?? [];
const rows = rowsByCode(busSettings);

describe("docs/settings.md", () => {
  it("has a row for every setting of a bus, and no other", () => {
    expect([...rows.keys()].sort()).to.deep.equal(settables());
  });

  it("tells of each its type, its default, and what it refuses", () => {
    for (const [name, cells] of rows) {
      expect(cells.length, name).to.equal(4);
      for (const cell of cells) expect(cell, name).not.to.equal("");
    }
  });

  for (const [name, [, , defaults = ""]] of rows) {
    const literal = /^`(\d[\d_]*|true|false)`/.exec(defaults)?.[1];
    if (literal !== undefined) {
      it(`tells the default of ${name}`, () => {
        const value: unknown = Reflect.get(new EventBus(stripe()), name);
        expect(String(value)).to.equal(literal.replaceAll("_", ""));
      });
    }
    it(`is right that ${name} refuses undefined`, () => {
      const bus = new EventBus(stripe());
      expect(() => Reflect.set(bus, name, undefined)).to.throw(ConfigurationError, `\`${name}\``);
    });
  }
});

describe("the README's table of settings", () => {
  it("has the same rows", () => {
    const [, section = ""] = /^## Settings\n([\s\S]*?)^## /m.exec(page("README.md").text) ?? [];
    expect([...rowsByCode(section).keys()].sort()).to.deep.equal(settables());
  });
});
