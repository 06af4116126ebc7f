import type { Bus } from "../bus/bus.ts";
import type { DeliveryFacts } from "../bus/context.ts";
import { matches } from "../bus/patterns.ts";
import { PayloadError } from "../errors.ts";
import type { Envelope, ProviderResponse, WebhookRequest } from "../providers/provider.ts";
import { parsePayload } from "../providers/schemes/json.ts";
import { admit } from "./admission.ts";
import { factsOf } from "./facts.ts";
import { failedGenuine, worstResult } from "./failure.ts";
import { filtered } from "./filter.ts";
import type { Source } from "./fingerprint.ts";
import { type Content, handleOnce, useUp } from "./handle-once.ts";
import { hintOf } from "./hints.ts";
import { paramsOf } from "./params.ts";
import { ReadHeaders } from "./read-headers.ts";
import { acknowledged, refused } from "./receipt.ts";
import { record } from "./record.ts";
import type { BodyReader, Mount, RequestHead } from "./request.ts";
import { carriedBy, type Posted, type Retriever } from "./retrieve.ts";
import { type Result, timed } from "./timed.ts";
import { type Checked, greet, SoughtKeys, verify } from "./verify.ts";

/** What the pipeline needs beside the bus. */
export interface Tools {
  readonly retriever: Retriever;
  /** How long a claim lives without a heartbeat, in milliseconds. */
  readonly leaseMs: number;
}

/**
 * One delivery's way from the socket to the subscribers: each step may end it. A promise only where there is something to
 * wait for. Throws, or rejects with, what `receiptOf` knows how to answer.
 */
export function receive(
  bus: Bus,
  head: RequestHead,
  readBody: BodyReader,
  tools: Tools,
  mount: Mount = {},
): Result | Promise<Result> {
  bus.assertReady();
  // 1 admit
  const refusal = admit(bus, head);
  if (refusal) return refusal;
  const read = readBody(bus.maxBodyBytes);
  if (read instanceof Uint8Array) return new Reception(bus, head, read, tools, mount).begin();
  // Of whatever make it is: a reader may be somebody's own, or of another realm.
  return Promise.resolve(read).then((body) => new Reception(bus, head, body, tools, mount).begin());
}

/** A delivery whose body has come. Its steps are functions of their own, so that none waits for what is there already. */
class Reception {
  readonly bus: Bus;
  readonly tools: Tools;
  readonly mount: Mount;
  /** Of a bus with an inbox. */
  readonly watched: ReadHeaders | undefined;
  readonly request: WebhookRequest & RequestHead;
  readonly receivedAt: number;
  readonly keys: SoughtKeys;

  constructor(bus: Bus, head: RequestHead, body: Uint8Array, tools: Tools, mount: Mount) {
    const { method, url, path, ip } = head;
    this.bus = bus;
    this.tools = tools;
    this.mount = mount;
    this.watched = bus.inbox && new ReadHeaders(head.headers);
    this.request = { method, url, path, headers: this.watched?.view ?? head.headers, ip, body };
    this.receivedAt = bus.clock.now();
    this.keys = new SoughtKeys(bus, this.request);
  }

  begin(): Result | Promise<Result> {
    // 2 answer what comes unsigned
    const greeted = greet(this.bus, this.request, this.receivedAt, this.keys);
    return greeted instanceof Promise ? greeted.then((greeting) => this.#verify(greeting)) : this.#verify(greeted);
  }

  #verify(greeting: ProviderResponse | undefined): Result | Promise<Result> {
    if (greeting !== undefined) return { receipt: acknowledged("challenge", greeting) };

    // 3 verify
    const checked = verify(this.bus, this.request, this.receivedAt, this.keys);
    return checked instanceof Promise ? checked.then((verification) => this.#read(verification)) : this.#read(checked);
  }

  #read(verification: Checked | undefined): Result | Promise<Result> {
    const { bus, request, tools } = this;
    if (verification !== undefined && !verification.verified) {
      return { receipt: refused(401, "rejected"), reason: verification.reason, hint: hintOf(verification.reason) };
    }

    // 4 read
    const payload = bus.provider.parse ? bus.provider.parse(request) : parsePayload(request.body);

    // 5 answer what comes signed
    const answer =
      verification === undefined
        ? undefined
        : bus.provider.handshakes?.afterVerification?.(payload, { request, key: verification.key });
    if (answer !== undefined) return { receipt: acknowledged("challenge", answer) };

    // 6 retrieve; where a signature was verified, an inbox leaves that to its worker
    const found = eventsOf(bus, payload, request, verification !== undefined, tools);
    return found instanceof Promise
      ? found.then((envelopes) => this.#keep(envelopes, payload, verification))
      : this.#keep(found, payload, verification);
  }

  #keep(
    envelopes: readonly Envelope[],
    payload: unknown,
    verification: (Checked & { readonly verified: true }) | undefined,
  ): Result | Promise<Result> {
    const { bus, mount, tools, request, watched } = this;
    if (envelopes.length === 0) return { receipt: acknowledged("ignored", bus.provider.success), reason: "retriever" };

    // What is not read as JSON may differ where the data do not: in how it is encrypted, say.
    const source = bus.provider.parse ? undefined : { body: request.body, payload };

    // 7 keep, durably: a worker dispatches
    const { inbox } = bus;
    if (inbox && watched) {
      const { method, url, body } = request;
      const { matchedSecret } = verification ?? {};
      const signed =
        matchedSecret === undefined ? undefined : { matchedSecret, request: { method, url, headers: watched.kept() } };
      return record(bus, inbox, { envelopes, receivedAt: this.receivedAt, signed, body, source }, mount);
    }

    // 7 keep, 8 dispatch; the facts of all first: where one of them has no type, nobody hears of the others
    const parts = envelopes.map((envelope): Part => {
      const facts =
        verification === undefined
          ? factsOf(bus, envelope, "retrieval")
          : factsOf(bus, envelope, "signature", verification.matchedSecret);
      return { envelope, facts, source };
    });
    const [first] = parts;
    if (first !== undefined && parts.length === 1) return deliver(bus, first, mount, tools.leaseMs);
    return deliverAll(bus, parts, mount, tools.leaseMs);
  }
}

/** One event of a delivery. */
interface Part {
  readonly envelope: Envelope;
  readonly facts: DeliveryFacts;
  readonly source: Source | undefined;
}

/** Of a delivery that carries many events, the worst one decides. */
async function deliverAll(bus: Bus, parts: readonly Part[], mount: Mount, leaseMs: number): Promise<Result> {
  const results: Result[] = [];
  for (const part of parts) results.push(await deliver(bus, part, mount, leaseMs));
  return worstResult(results);
}

/** What becomes of one event. Never rejects. */
function deliver(bus: Bus, part: Part, { types }: Mount, leaseMs: number): Promise<Result> {
  const { envelope, facts } = part;
  if (types && !types.some((pattern) => matches(pattern, facts.type, bus.provider.delimiter))) {
    return genuine(part, ignore(bus, part, "types", leaseMs));
  }
  const content = contentOf(part);
  const passed = filtered(bus, envelope.event, facts);
  if (!(passed instanceof Promise)) return handleOnce(bus, passed, content, leaseMs);
  const handled = passed.then((one) =>
    one ? handleOnce(bus, one, content, leaseMs) : ignore(bus, part, "filter", leaseMs),
  );
  return genuine(part, handled);
}

function contentOf({ envelope: { data, unsigned }, facts, source }: Part): Content {
  return { data, source, unsignedType: unsigned?.includes("type") ? facts.type : undefined };
}

/** Whatever goes wrong with an event that is known to be genuine is its result. */
async function genuine({ facts }: Part, promised: Promise<Result>): Promise<Result> {
  try {
    return { ...(await promised), facts };
  } catch (error) {
    return { ...failedGenuine(error), facts };
  }
}

async function ignore(bus: Bus, part: Part, reason: string, leaseMs: number): Promise<Result> {
  const content = contentOf(part);
  const hindrance = content.unsignedType === undefined ? undefined : await useUp(bus, part.facts, content, leaseMs);
  return hindrance ?? { receipt: acknowledged("ignored", bus.provider.success), reason };
}

/** What the delivery carries, as the retriever has it; nothing where it ignores all of that. */
function eventsOf(
  bus: Bus,
  payload: unknown,
  request: WebhookRequest,
  signed: boolean,
  { retriever }: Tools,
): readonly Envelope[] | Promise<readonly Envelope[]> {
  if (!signed) return retrieved(bus, retriever, [{ params: paramsOf(payload), request, verifiedBy: "nothing" }]);
  const read = bus.provider.read(payload, { request, client: retriever.client });
  const carried = "id" in read ? [read] : read;
  if (carried.length === 0) throw new PayloadError("the delivery holds no event");
  if (!bus.retrieves || bus.inbox) return carried;
  return retrieved(
    bus,
    retriever,
    carried.map((each) => carriedBy(request, payload, read, each)),
  );
}

async function retrieved(bus: Bus, retriever: Retriever, all: readonly Posted[]): Promise<readonly Envelope[]> {
  const envelopes: Envelope[] = [];
  for (const posted of all) {
    const envelope = await timed(bus, "hookbus.retrieve", () => retriever.retrieve(posted));
    if (envelope) envelopes.push(envelope);
  }
  return envelopes;
}
