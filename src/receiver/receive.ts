import type { Bus } from "../bus/bus.ts";
import type { DeliveryFacts } from "../bus/context.ts";
import { matches } from "../bus/patterns.ts";
import { PayloadError } from "../errors.ts";
import type { Envelope, WebhookRequest } from "../providers/provider.ts";
import { parsePayload } from "../providers/schemes/json.ts";
import { admit } from "./admission.ts";
import { factsOf } from "./facts.ts";
import { failedGenuine, worstResult } from "./failure.ts";
import { filtered } from "./filter.ts";
import type { Source } from "./fingerprint.ts";
import { handleOnce, useUp } from "./handle-once.ts";
import { hintOf } from "./hints.ts";
import { paramsOf } from "./params.ts";
import { ReadHeaders } from "./read-headers.ts";
import { acknowledged, refused } from "./receipt.ts";
import { record } from "./record.ts";
import type { BodyReader, Mount, RequestHead } from "./request.ts";
import { carriedBy, type Posted, type Retriever } from "./retrieve.ts";
import { type Result, timed } from "./timed.ts";
import { greet, SoughtKeys, verify } from "./verify.ts";

/** What the pipeline needs beside the bus. */
export interface Tools {
  readonly retriever: Retriever;
  /** How long a claim lives without a heartbeat, in milliseconds. */
  readonly leaseMs: number;
}

/**
 * One delivery's way from the socket to the subscribers: each line may end it. Throws what `receiptOf` knows how to
 * answer.
 */
export async function receive(
  bus: Bus,
  head: RequestHead,
  readBody: BodyReader,
  tools: Tools,
  mount: Mount = {},
): Promise<Result> {
  bus.assertReady();

  // 1 admit
  const refusal = admit(bus, head);
  if (refusal) return refusal;
  const { inbox } = bus;
  const watched = inbox && new ReadHeaders(head.headers);
  const headers = watched?.view ?? head.headers;
  const { method, url, path, ip } = head;
  const read = readBody(bus.maxBodyBytes);
  const body = read instanceof Uint8Array ? read : await read;
  const request: WebhookRequest & RequestHead = { method, url, path, headers, ip, body };
  const receivedAt = bus.clock.now();

  // 2 answer what comes unsigned
  const keys = new SoughtKeys(bus, request);
  const greeted = greet(bus, request, receivedAt, keys);
  const greeting = greeted instanceof Promise ? await greeted : greeted;
  if (greeting !== undefined) return { receipt: acknowledged("challenge", greeting) };

  // 3 verify
  const checked = verify(bus, request, receivedAt, keys);
  const verification = checked instanceof Promise ? await checked : checked;
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
  const all = found instanceof Promise ? await found : found;
  if (all.length === 0) return { receipt: acknowledged("ignored", bus.provider.success), reason: "retriever" };

  // What is not read as JSON may differ where the data do not: in how it is encrypted, say.
  const source = bus.provider.parse ? undefined : { body, payload };

  // 7 keep, durably: a worker dispatches
  if (inbox && watched) {
    const { matchedSecret } = verification ?? {};
    const signed =
      matchedSecret === undefined ? undefined : { matchedSecret, request: { method, url, headers: watched.kept() } };
    return record(bus, inbox, { envelopes: all, receivedAt, signed, body, source }, mount);
  }

  // 7 keep, 8 dispatch; of a delivery that carries many events, the worst one decides
  const parts: Part[] = [];
  for (const envelope of all) {
    const facts =
      verification === undefined
        ? factsOf(bus, envelope, "retrieval")
        : factsOf(bus, envelope, "signature", verification.matchedSecret);
    parts.push({ envelope, facts, source });
  }
  const results: Result[] = [];
  for (const part of parts) {
    let result: Result;
    try {
      result = await deliver(bus, part, mount, tools.leaseMs);
    } catch (error) {
      result = failedGenuine(error);
    }
    result.facts = part.facts;
    results.push(result);
  }
  return worstResult(results);
}

/** One event of a delivery. */
interface Part {
  readonly envelope: Envelope;
  readonly facts: DeliveryFacts;
  readonly source: Source | undefined;
}

function deliver(bus: Bus, part: Part, { types }: Mount, leaseMs: number): Promise<Result> {
  const { envelope, facts, source } = part;
  if (types && !types.some((pattern) => matches(pattern, facts.type, bus.provider.delimiter))) {
    return ignore(bus, part, "types", leaseMs);
  }
  const { data } = envelope;
  const passed = filtered(bus, envelope.event, facts);
  if (!(passed instanceof Promise)) return handleOnce(bus, passed, { data, source }, leaseMs);
  return passed.then((one) =>
    one ? handleOnce(bus, one, { data, source }, leaseMs) : ignore(bus, part, "filter", leaseMs),
  );
}

async function ignore(bus: Bus, { envelope, facts, source }: Part, reason: string, leaseMs: number): Promise<Result> {
  const { data, unsigned } = envelope;
  const hindrance = unsigned?.includes("type") ? await useUp(bus, facts, { data, source }, leaseMs) : undefined;
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
