import { expect } from "chai";
import * as front from "../../src/index.ts";
import { stripe } from "../../src/providers/stripe.ts";
import { receiptOf } from "../../src/receiver/failure.ts";
import { page, rowsByCode } from "./pages.ts";

const { DispatchError, EventBus, HookbusError } = front;

type ErrorClass = new (...args: never[]) => Error & { readonly code: string };

/** Arguments for the constructors that want other than one message. */
const ARGUMENTS: Readonly<Record<string, readonly unknown[]>> = {
  DispatchError: ["charge.paid", [{ subscriber: "mailer", error: new Error("down") }]],
  MissingPeerError: ["stripe", "Fetching Stripe events"],
  RetryLater: [30],
};

const errors = (Object.values(front) as unknown[])
  .filter((value): value is ErrorClass => typeof value === "function" && value.prototype instanceof Error)
  .map((Class) => new Class(...((ARGUMENTS[Class.name] ?? ["a message"]) as never[])));

const { text } = page("docs/errors.md");
const rows = rowsByCode(text);
const sections = new Map(
  text
    .split(/^### /m)
    .slice(1)
    .map((section) => [/^<a id="[\w]+"><\/a>`(\w+)`/.exec(section)?.[1] ?? section.slice(0, 40), section]),
);

/** The status that a delivery is answered with when a subscriber throws `error`. */
async function answerTo(error: Error): Promise<number> {
  const bus = new EventBus(stripe());
  bus.signingSecrets = "whsec_of_the_spec";
  bus.logger = { info() {}, warn() {}, error() {} };
  bus.subscribe("charge.succeeded", () => {
    throw error;
  });
  const body = Buffer.from('{"id":"evt_1","object":"event","type":"charge.succeeded","data":{}}');
  const headers = bus.provider.sign(body, { secret: "whsec_of_the_spec" });
  return (await bus.receive({ method: "POST", url: "/", headers, body })).status;
}

describe("docs/errors.md", () => {
  it("is compared with every exported error", () => {
    expect(errors.length).to.be.at.least(19);
    for (const error of errors) expect(error, error.name).to.be.instanceOf(HookbusError);
  });

  for (const error of errors) {
    const { code, name } = error;
    it(`explains ${code}`, () => {
      expect(rows.get(code)?.[1]).to.equal(`\`${name}\``);
      const section = sections.get(code) ?? "";
      expect(section).to.include(`<a id="${code.toLowerCase()}"></a>`);
      expect(section).to.include(`\`${name}\``);
      expect(section).to.match(/\*\*Meaning\.\*\* \S/);
      expect(section).to.match(/\*\*What to do\.\*\* \S/);
    });
  }

  it("has no row and no section for a code that does not exist", () => {
    const codes = errors.map((error) => error.code).sort();
    expect([...rows.keys()].sort()).to.deep.equal(codes);
    expect([...sections.keys()].sort()).to.deep.equal(codes);
  });

  it("has no code twice", () => {
    expect(text.match(/^### /gm)?.length).to.equal(errors.length);
    expect(text.match(/^\| `HOOKBUS_/gm)?.length).to.equal(errors.length);
  });

  for (const error of errors) {
    const [, , from, answer] = rows.get(error.code) ?? [];
    if (from === "a subscriber") {
      it(`tells the answer to a subscriber's ${error.name}`, async () => {
        expect(answer).to.equal(String(await answerTo(error)));
      });
    } else if (/^\d+$/.test(answer ?? "")) {
      it(`tells the answer to ${error.name}`, () => {
        const thrown = error.code === "HOOKBUS_SUBSCRIBER_TIMEOUT" ? dispatchOf(error) : error;
        expect(answer).to.equal(String(receiptOf(thrown).status));
      });
    }
  }

  it("says which answers depend on more than the class", () => {
    const vague = [...rows].filter(([, cells]) => !/^\d+$/.test(cells[3] ?? "")).map(([code]) => code);
    expect(vague.sort()).to.deep.equal(["HOOKBUS_DISPATCH", "HOOKBUS_ERROR", "HOOKBUS_STALE_TOKEN"]);
  });
});

function dispatchOf(error: Error): Error {
  return new DispatchError("charge.paid", [{ subscriber: "mailer", error }]);
}
