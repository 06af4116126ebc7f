import { expect } from "chai";
import fc from "fast-check";
import { fingerprintOf } from "../../src/receiver/fingerprint.ts";

describe("the fingerprint of an event's data", () => {
  it("is the same for the same data, and short", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (data) => {
        const fingerprint = fingerprintOf(data);
        expect(fingerprintOf(structuredClone(data))).to.equal(fingerprint);
        expect(fingerprint).to.match(/^-?[0-9a-z]{1,6}$/);
      }),
    );
  });

  const data = { object: { id: "ch_1", amount: 5, paid: true, refund: null, lines: [1, { sku: "a" }], note: "" } };
  const others: Record<string, unknown> = {
    "another text": { object: { ...data.object, id: "ch_2" } },
    "another number": { object: { ...data.object, amount: 6 } },
    "a number for a text": { object: { ...data.object, note: 0 } },
    "another truth": { object: { ...data.object, paid: false } },
    "something for nothing": { object: { ...data.object, refund: {} } },
    "another name": { object: { ...data.object, note: undefined, text: "" } },
    "one more field": { object: { ...data.object, more: 1 } },
    "one more item": { object: { ...data.object, lines: [...data.object.lines, 2] } },
    "another value deep within": { object: { ...data.object, lines: [1, { sku: "b" }] } },
    "a list for an object": { object: ["ch_1", 5, true, null, [1, { sku: "a" }], ""] },
    "nothing at all": undefined,
  };
  for (const [title, other] of Object.entries(others)) {
    it(`is another one for ${title}`, () => {
      expect(fingerprintOf(other)).not.to.equal(fingerprintOf(data));
    });
  }

  it("tells long texts apart by their beginning and by their length", () => {
    const text = "x".repeat(1_000);
    expect(fingerprintOf({ text: `y${text.slice(1)}` })).not.to.equal(fingerprintOf({ text }));
    expect(fingerprintOf({ text: `${text}x` })).not.to.equal(fingerprintOf({ text }));
  });

  it("looks at all of it, however much there is", () => {
    const values = Array.from({ length: 1_000 }, (_, at) => at);
    for (const at of [0, 31, 32, 500, 999]) {
      expect(fingerprintOf(values.with(at, -1)), `the value ${at}`).not.to.equal(fingerprintOf(values));
    }
    const text = "x".repeat(10_000);
    expect(fingerprintOf({ text: `${text.slice(1)}y` })).not.to.equal(fingerprintOf({ text }));
  });
});

/** A body of a delivery, and the fingerprint of the data in it, read as a receiver reads it. */
function ofBody(text: string): string {
  const payload = JSON.parse(text) as Record<string, unknown>;
  return fingerprintOf(payload["data"], { body: Buffer.from(text), payload });
}

describe("the fingerprint of data that are found in the body", () => {
  const text = fc.oneof(fc.string(), fc.string({ minLength: 1_100, maxLength: 1_100 }));
  const anyData = fc.record({ text, value: fc.jsonValue(), livemode: fc.jsonValue() });
  const value = fc.jsonValue({ maxDepth: 2 });
  const fields = fc.record(
    { id: value, data: fc.constant(0), livemode: value, pending: value },
    { noNullPrototype: true },
  );
  const bodyOf = (around: object, data: unknown, space?: number): string =>
    JSON.stringify({ ...around, data }, undefined, space);

  it("is the same for the same data, whatever else the body says", () => {
    fc.assert(
      fc.property(anyData, fields, fields, fc.constantFrom(0, 2), (data, one, other, space) => {
        expect(ofBody(bodyOf(one, data, space))).to.equal(ofBody(bodyOf(other, data, space)));
      }),
    );
  });

  const odd = fc.constantFrom('"', '":', 'a":"b","c', "\\", "7", "-1", "", "__proto__", "d\u00e9j\u00e0", "data\\");
  const name = fc.oneof(odd, fc.string({ unit: "binary" })).filter((each) => each !== "data");
  const names = fc.uniqueArray(name, { maxLength: 5 });
  const values = fc.array(fc.oneof(value, fc.string({ maxLength: 40_000 })), { minLength: 5, maxLength: 5 });

  /** A body with these names at its own level, in this order, whatever they are. */
  function written(all: readonly (readonly [string, unknown])[]): string {
    return `{${all.map(([each, held]) => `${JSON.stringify(each)}:${JSON.stringify(held)}`).join()}}`;
  }

  it("is the same for the same data, whatever the names around them and what they hold", () => {
    fc.assert(
      fc.property(names, values, values, fc.nat(5), anyData, (around, one, other, place, data) => {
        const bodyWith = (held: readonly unknown[]): string => {
          const all = around.map((each, at) => [each, held[at]] as const);
          return written(all.toSpliced(place, 0, ["data", data]));
        };
        expect(ofBody(bodyWith(one))).to.equal(ofBody(bodyWith(other)));
      }),
    );
  });

  it("is another one for other data, whatever the names around them, and whether they come twice", () => {
    const twice = fc.array(fc.oneof(fc.constant("data"), name), { maxLength: 5 });
    fc.assert(
      fc.property(twice, twice, values, anyData, anyData, (before, after, held, data, other) => {
        fc.pre(JSON.stringify(data) !== JSON.stringify(other));
        const valued = (all: readonly string[]) => all.map((each, at) => [each, held[at]] as const);
        const behind = valued(after.filter((each) => each !== "data"));
        const bodyWith = (counts: unknown): string => written([...valued(before), ["data", counts], ...behind]);
        expect(ofBody(bodyWith(data))).not.to.equal(ofBody(bodyWith(other)));
      }),
    );
  });

  it("covers data whose name comes before them, in whatever way it is written", () => {
    for (const before of ['"data":{}', '"data":0', '"d\\u0061ta":{}']) {
      for (const between of ["", '"id":1,']) {
        for (const name of ['"data"', '"d\\u0061ta"']) {
          const of = (amount: number): string =>
            ofBody(`{${before},${between}"type":"t",${name}:{"amount":${amount}}}`);
          expect(of(1), `${before} ${between} ${name}`).not.to.equal(of(2));
        }
      }
    }
  });

  it("is not misled by names that look like JSON", () => {
    const of = (x: number): string => {
      const payload = { "": "v", a: "b", c: 1, '":': { x }, 'a":"b","c': 2 };
      return fingerprintOf(payload['":'], { body: Buffer.from(JSON.stringify(payload)), payload });
    };
    expect(of(1)).not.to.equal(of(2));
  });

  it("is the same however much stands around them", () => {
    const data = { a: 1 };
    for (const bodyWith of [
      (log: string) => JSON.stringify({ id: 1, data, log }),
      (log: string) => JSON.stringify({ log, data, id: 1 }),
    ]) {
      const prints = [0, 16_300, 16_400, 200_000].map((length) => ofBody(bodyWith("x".repeat(length))));
      expect(new Set(prints).size).to.equal(1);
    }
  });

  it("is another one for other data", () => {
    fc.assert(
      fc.property(anyData, anyData, fields, (data, other, around) => {
        fc.pre(JSON.stringify(data) !== JSON.stringify(other));
        expect(ofBody(bodyOf(around, data))).not.to.equal(ofBody(bodyOf(around, other)));
      }),
    );
  });

  const large = "x".repeat(2_000);
  const places: Record<string, (data: object) => string> = {
    "come first": (data) => JSON.stringify({ data, id: 1 }),
    "come last": (data) => JSON.stringify({ id: 1, data }),
    "stand alone": (data) => JSON.stringify({ data }),
    "come after a text that is their name": (data) => JSON.stringify({ object: "data", data, id: 1 }),
    "come after others of their name within": (data) => JSON.stringify({ object: { data: [1] }, data, id: 1 }),
    "come before one that has its own name within": (data) => JSON.stringify({ data, request: { request: 1 } }),
    "come before much else": (data) => JSON.stringify({ data, logs: large.repeat(2) }),
    "come after much else": (data) => JSON.stringify({ logs: large.repeat(2), data }),
    "come after a number for a name": (data) => JSON.stringify({ id: 1, data, 7: 7 }),
    "come before texts with quotes and backslashes": (data) =>
      JSON.stringify({ data, id: 1, path: "c:\\", note: '",{"id":2}]', last: '\\"}' }),
    "come before a name that ends with a backslash": (data) => JSON.stringify({ data, "id\\": 1, 'id"': 2 }),
    "come before white space": (data) => `${JSON.stringify({ data, id: 1 }, undefined, 2)}\n\n`,
    "come twice": (data) => `{"data":{"old":1},"data":${JSON.stringify(data)}}`,
    "have texts of another alphabet beside them": (data) => JSON.stringify({ été: "\u{1f60e}", data, ñ: "ü" }),
  };
  for (const [title, bodyWith] of Object.entries(places)) {
    for (const text of ["x", large]) {
      it(`covers all of data that ${title} (${text === large ? "large" : "small"})`, () => {
        const data = { first: 1, text, list: [{ sku: "a" }, { sku: "b" }], last: 1 };
        const print = ofBody(bodyWith(data));
        expect(ofBody(bodyWith(structuredClone(data)))).to.equal(print);
        for (const other of [
          { first: 2 },
          { text: `y${text.slice(1)}` },
          { list: [{ sku: "a" }, { sku: "c" }] },
          { last: 2 },
        ]) {
          expect(ofBody(bodyWith({ ...data, ...other }))).not.to.equal(print);
        }
      });
    }
  }

  it("is that of the whole body, where all of it is the data", () => {
    const of = (line: string): string => {
      const payload = { text: large, line };
      return fingerprintOf(payload, { body: Buffer.from(JSON.stringify(payload)), payload });
    };
    expect(of("a")).to.equal(of("a"));
    expect(of("a")).not.to.equal(of("b"));
  });

  it("is made of the data where they are not in the body", () => {
    const payload = { id: 1, text: large };
    const source = { body: Buffer.from(JSON.stringify(payload)), payload };
    for (const data of [{ fetched: 1 }, "text", 5, null, undefined]) {
      expect(fingerprintOf(data, source)).to.equal(fingerprintOf(data));
    }
  });

  it("is the same whatever comes before, after and around them", () => {
    for (const size of [100, 900, 1_000, 1_020, 1_100, 5_000]) {
      const data = { object: { text: "x".repeat(size) } };
      const prints = [
        { id: 1, data },
        { id: 1, data, retry: 1 },
        { id: 1, before: "y".repeat(1_000), data, after: ["z".repeat(1_000)] },
        { data, logs: [{ note: "z".repeat(9_000) }] },
      ].map((around) => ofBody(JSON.stringify(around)));
      expect(new Set(prints).size, String(size)).to.equal(1);
    }
  });

  it("does not look into the body for each of many events, and not for what is nothing", () => {
    const source = {
      payload: [{ id: 1 }, { id: 2 }] as unknown,
      get body(): Uint8Array {
        throw new Error("looked into");
      },
    };
    for (const event of source.payload as object[]) expect(fingerprintOf(event, source)).to.equal(fingerprintOf(event));
    expect(fingerprintOf(null, source)).to.equal(fingerprintOf(null));
  });
});
