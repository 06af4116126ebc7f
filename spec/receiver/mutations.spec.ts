import { expect } from "chai";
import fc from "fast-check";
import { conekta } from "../../src/providers/conekta.ts";
import type { RequestHeaders, SecretSetting } from "../../src/providers/provider.ts";
import { OTHER } from "../providers/keys.ts";
import { anEvent, bareConektaBus, bytes, logOf, type SpecBus, signed, stripeBus } from "./harness.ts";

type MutableHeaders = Record<string, string | string[]>;

interface Delivery {
  body: Buffer;
  headers: MutableHeaders;
}

/** One change. `at` and `size` are brought into the range of whatever they change. */
interface Mutation {
  readonly kind: number;
  readonly at: number;
  readonly size: number;
  readonly byte: number;
}

const event = anEvent({ data: { object: { id: "ch_1", note: "día de pago 😀", list: [1, 2, 3] } } });
const BODY = bytes(event);

function splice(bytes: Buffer, at: number, size: number, put: Buffer): Buffer {
  const start = at % (bytes.byteLength + 1);
  return Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(start + size)]);
}

function replaced(bytes: Buffer, { at, byte }: Mutation): Buffer {
  return bytes.byteLength === 0 ? bytes : splice(bytes, at % bytes.byteLength, 1, Buffer.from([byte]));
}

function doubled(bytes: Buffer, { at, size }: Mutation): Buffer {
  const start = at % (bytes.byteLength + 1);
  return splice(bytes, start, 0, bytes.subarray(start, start + size));
}

const BYTES: ((bytes: Buffer, mutation: Mutation) => Buffer)[] = [
  replaced,
  (bytes, { at, byte }) => {
    const index = at % Math.max(1, bytes.byteLength);
    return replaced(bytes, { kind: 0, at, size: 1, byte: (bytes[index] ?? 0) ^ (1 << (byte % 8)) });
  },
  (bytes, { at, size }) => splice(bytes, at, size, Buffer.alloc(0)),
  doubled,
  (bytes, { at, size, byte }) => splice(bytes, at, 0, Buffer.alloc(size, byte)),
  (bytes, { at }) => bytes.subarray(0, at % (bytes.byteLength + 1)),
  (bytes) => Buffer.concat([bytes, bytes]),
];

const text = (value: string | string[] | undefined): string => [value ?? ""].flat().join(", ");

function items(value: string): string[] {
  return value.split(",");
}

/** Changes of the signature header, whose present name is `name`. */
const HEADERS: ((headers: MutableHeaders, name: string, mutation: Mutation) => void)[] = [
  ...BYTES.map((change) => (headers: MutableHeaders, name: string, mutation: Mutation): void => {
    headers[name] = change(Buffer.from(text(headers[name]), "latin1"), mutation).toString("latin1");
  }),
  (headers, name) => delete headers[name],
  (headers, name) => {
    headers[name] = [text(headers[name])];
  },
  (headers, name) => {
    headers[name] = [text(headers[name]), text(headers[name])];
  },
  (headers, name) => {
    headers[name] = items(text(headers[name]));
  },
  (headers, name) => {
    headers[name] = items(text(headers[name])).reverse().join(",");
  },
  (headers, name, { at }) => {
    const all = items(text(headers[name]));
    headers[name] = [...all, all[at % all.length] ?? ""].join(",");
  },
  (headers, name) => {
    headers[name] = `v1=${"0".repeat(64)},${text(headers[name])},v0=1`;
  },
  (headers, name) => {
    headers[name] = text(headers[name]).toUpperCase();
  },
  (headers, name, { size }) => {
    headers[name] = `${" ".repeat(size)}${text(headers[name])}\t`;
  },
  (headers, name) => {
    const value = headers[name] ?? "";
    delete headers[name];
    headers[name.toUpperCase()] = value;
  },
  (headers, _name, { byte }) => {
    headers[`x-other-${byte}`] = "t=1,v1=00";
  },
  (headers) => {
    for (const [name, value] of Object.entries(headers).reverse()) {
      delete headers[name];
      headers[name] = value;
    }
  },
  (headers, name, { at }) => {
    headers[name] = text(headers[name]).replace(/\d/, String(at % 10));
  },
];

function mutate(original: Delivery, mutations: readonly Mutation[], signature: string): Delivery {
  const delivery = { body: original.body, headers: { ...original.headers } };
  for (const mutation of mutations) {
    const kind = mutation.kind % (BYTES.length + HEADERS.length);
    const name = Object.keys(delivery.headers).find((each) => each.toLowerCase() === signature) ?? signature;
    const change = BYTES[kind];
    if (change) delivery.body = change(delivery.body, mutation);
    else HEADERS[kind - BYTES.length]?.(delivery.headers, name, mutation);
  }
  return delivery;
}

/** All that stands in the fields of one name, whatever its case. */
function fieldOf(headers: RequestHeaders, name: string): string {
  const found = Object.entries(headers).filter(([each]) => each.toLowerCase() === name);
  return found.map(([, value]) => text(value as string | string[])).join(", ");
}

/** Every `t` is the one that was signed, and the signature is among the `v1`. */
function isStripesOwn(mutated: string, original: string): boolean {
  const [t, v1] = items(original);
  const all = items(mutated).map((item) => item.trim());
  return all.includes(v1 ?? "") && all.includes(t ?? "") && all.every((item) => !item.startsWith("t=") || item === t);
}

function isConektasOwn(mutated: string, original: string): boolean {
  return mutated.trim() === original;
}

interface Scheme {
  readonly title: string;
  readonly bus: SpecBus;
  /** Signed when the spec runs, which may be long after it was loaded. */
  readonly sign: () => Record<string, string>;
  readonly header: string;
  readonly runs: number;
  isGenuine(mutated: string, original: string): boolean;
}

function conektaScheme(setting: SecretSetting, secret: string, runs: number): Scheme {
  const bus = bareConektaBus();
  bus[setting] = secret;
  const sign = () => conekta().sign(BODY, { secret: OTHER.privatePem, setting });
  return { title: `Conekta's ${setting}`, bus, sign, header: "digest", runs, isGenuine: isConektasOwn };
}

const SCHEMES: Scheme[] = [
  {
    title: "Stripe",
    bus: stripeBus(),
    sign: () => signed(BODY),
    header: "stripe-signature",
    runs: 4_000,
    isGenuine: isStripesOwn,
  },
  conektaScheme("webhookKeys", OTHER.publicPem, 4_000),
  conektaScheme("privateSignature", OTHER.privatePem, 2_000),
];

describe("10,000 mutations of signed deliveries", () => {
  const mutation = fc.record({
    kind: fc.nat({ max: 1_000 }),
    at: fc.nat({ max: 1_000 }),
    size: fc.integer({ min: 1, max: 12 }),
    byte: fc.nat({ max: 255 }),
  });
  const mutations = fc.array(mutation, { minLength: 1, maxLength: 3 });

  for (const { title, bus, sign, header, runs, isGenuine } of SCHEMES) {
    it(`are refused where they changed what was signed, and nowhere else: ${title}`, async function () {
      this.timeout(30_000);
      bus.idempotency = false;
      let handled = 0;
      bus.all((each) => {
        handled += 1;
        expect(each).to.deep.equal(event);
      });
      const headers = sign();
      const original: Delivery = { body: BODY, headers: { "content-type": "application/json", ...headers } };
      const signature = headers[header] ?? "";
      const counts = { accepted: 0, refused: 0 };

      await fc.assert(
        fc.asyncProperty(mutations, async (list) => {
          const { body, headers: changed } = mutate(original, list, header);
          const { status } = await bus.receive({ method: "POST", url: "/", headers: changed, body });
          const value = fieldOf(changed, header);
          if (status === 200) {
            counts.accepted += 1;
            expect(body.equals(BODY), "the body of what was accepted").to.equal(true);
            expect(isGenuine(value, signature), "the signature of what was accepted").to.equal(true);
          } else {
            counts.refused += 1;
            expect(status).to.equal(401);
            expect(body.equals(BODY) && value.trim() === signature, "what was refused is what was signed").to.equal(
              false,
            );
          }
        }),
        { numRuns: runs },
      );

      // Both happened, so that neither half of the property is idle.
      expect(counts.accepted).to.be.above(runs / 50);
      expect(counts.refused).to.be.above(runs / 2);
      expect(handled).to.equal(counts.accepted);
      expect(logOf(bus).filter(({ level }) => level !== "warn")).to.deep.equal([]);
    });
  }
});
