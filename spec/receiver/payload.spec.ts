import { expect } from "chai";
import { PayloadError } from "../../src/errors.ts";
import { paramsOf } from "../../src/receiver/params.ts";
import { anEvent, bytes, Closing, idsOf, logOf, RECEIVED, REFUSED, serve, signed, stripeBus } from "./harness.ts";

const DEEP = 100_000;

const TOO_DEEP = "the body is nested deeper than 2000 levels";

describe("a signed body", () => {
  const closing = new Closing();
  afterEach(() => closing.close());

  const event = anEvent();
  const json = JSON.stringify(event);
  const refusals: [title: string, body: string | Uint8Array, message: string][] = [
    ["nothing", "", "the body is empty"],
    ["white space", " \n\t", "the body is empty"],
    ["a byte order mark alone", "\uFEFF", "the body is empty"],
    ["text", "payment=paid", "the body is not JSON"],
    ["JSON cut short", json.slice(0, -1), "the body is not JSON"],
    ["JSON and more", `${json}}`, "the body is not JSON"],
    ["two byte order marks", `\uFEFF\uFEFF${json}`, "the body is not JSON"],
    ["NaN", "NaN", "the body is not JSON"],
    ["a number", "5", "an event is a JSON object"],
    ["a string", '"evt_1"', "an event is a JSON object"],
    ["true", "true", "an event is a JSON object"],
    ["null", "null", "an event is a JSON object"],
    ["an array", "[]", "an event is a JSON object"],
    ["an array of events", `[${json}]`, "an event is a JSON object"],
    ["invalid UTF-8", Buffer.concat([bytes('{"id":"'), Buffer.from([0xff]), bytes('"}')]), "the body is not UTF-8"],
    ["UTF-16", Buffer.from(`\uFEFF${json}`, "utf16le"), "the body is not UTF-8"],
    ["UTF-8 cut within a letter", Buffer.from('{"id":"ñ').subarray(0, -1), "the body is not UTF-8"],
    ["arrays 100,000 deep", "[".repeat(DEEP) + "]".repeat(DEEP), TOO_DEEP],
    ["objects 100,000 deep", `${'{"a":'.repeat(DEEP)}1${"}".repeat(DEEP)}`, TOO_DEEP],
    ["data 100,000 deep", `${json.slice(0, -1)},"data":${"[".repeat(DEEP)}${"]".repeat(DEEP)}}`, TOO_DEEP],
    ["depth without an end", "[".repeat(DEEP), "the body is not JSON"],
    [
      "depth behind strings of closing brackets",
      `{"id":"evt_1","type":"a.b","data":${'["]]]}}}",'.repeat(DEEP / 2)}0${"]".repeat(DEEP / 2)}}`,
      TOO_DEEP,
    ],
  ];
  for (const [title, body, message] of refusals) {
    it(`is a 400: ${title}`, async () => {
      const bus = stripeBus();
      const ids = idsOf(bus);
      const wire = closing.add(await serve(bus));
      const raw = Buffer.from(body);
      expect(await wire.deliver(raw)).to.deep.include({ status: 400, body: REFUSED });
      expect(ids).to.deep.equal([]);
      const [line, ...others] = logOf(bus);
      expect(others).to.deep.equal([]);
      expect(line).to.include({ level: "warn", message: "hookbus: delivery refused: HOOKBUS_PAYLOAD" });
      expect(line?.fields).to.have.property("message").that.includes(message);
    });
  }

  it("is not looked into before its signature is verified", async () => {
    const wire = closing.add(await serve(stripeBus()));
    for (const [, body] of refusals.slice(0, 12)) {
      expect(await wire.post(Buffer.from(body))).to.include({ status: 401 });
    }
  });

  const deliveries: [title: string, body: string | Uint8Array][] = [
    ["a byte order mark, which is signed with the rest", `\uFEFF${json}`],
    ["white space around it", `\n ${json} \n`],
    ["letters beyond ASCII", json.replace("ch_1", "cañón 😀 \u2028")],
    ["a lone surrogate, escaped", json.replace("ch_1", "\\ud800")],
    ["100,000 opening brackets in a string", json.replace("ch_1", "[{".repeat(DEEP / 2))],
    ["100,000 closing brackets in a string", json.replace("ch_1", "]}".repeat(DEEP / 2))],
    ["brackets behind an escaped quote", json.replace("ch_1", `\\"${"[".repeat(DEEP)}`)],
    ["brackets behind an escaped backslash", json.replace('"ch_1"', `"\\\\","x":"${"[".repeat(DEEP)}"`)],
    ["100,000 shallow objects", json.replace('"ch_1"', `[${"{},".repeat(DEEP)}{}]`)],
    ["a key twice", json.replace("{", '{"id":"evt_first",')],
  ];
  for (const [title, body] of deliveries) {
    it(`is delivered: ${title}`, async () => {
      const bus = stripeBus();
      const seen: unknown[] = [];
      bus.all((each) => {
        seen.push(each);
      });
      const wire = closing.add(await serve(bus));
      const raw = Buffer.from(body);
      expect(await wire.deliver(raw)).to.deep.include({ status: 200, body: RECEIVED });
      expect(seen).to.deep.equal([JSON.parse(raw.toString().replace("\uFEFF", ""))]);
    });
  }

  it("pollutes no prototype", async () => {
    const bus = stripeBus();
    bus.freezeEvents = true;
    const ids = idsOf(bus);
    const wire = closing.add(await serve(bus));
    const hostile = json.replace(
      "{",
      '{"__proto__":{"polluted":1,"type":"x","id":"y"},"constructor":{"prototype":{"polluted":1}},"toString":1,',
    );
    expect(await wire.deliver(bytes(hostile))).to.include({ status: 200 });
    expect(ids).to.deep.equal([event.id]);
    expect({}).not.to.have.property("polluted");
    expect(String({})).to.equal("[object Object]");

    const onlyInherited = '{"__proto__":{"id":"evt_1","type":"charge.succeeded"}}';
    expect(await wire.deliver(bytes(onlyInherited))).to.include({ status: 400 });
    expect(ids).to.deep.equal([event.id]);
  });

  it("may lie anywhere in its buffer", async () => {
    const bus = stripeBus();
    const ids = idsOf(bus);
    const pool = Buffer.from(`]]]${json}[[[`);
    const body = new Uint8Array(pool.buffer, pool.byteOffset + 3, pool.byteLength - 6);
    const receipt = await bus.receive({ method: "POST", url: "/", headers: signed(body), body });
    expect(receipt).to.include({ status: 200, outcome: "handled" });
    expect(ids).to.deep.equal([event.id]);
  });
});

describe("paramsOf", () => {
  it("takes objects alone", () => {
    const object = { id: "evt_1" };
    expect(paramsOf(object)).to.equal(object);
    for (const other of [null, undefined, 0, "", "{}", true, [], [object]]) {
      expect(() => paramsOf(other)).to.throw(PayloadError, "the body is not a JSON object");
    }
  });
});
