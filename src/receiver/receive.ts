import type { Bus } from "../bus/bus.ts";
import type { DeliveryFacts } from "../bus/context.ts";
import { matches } from "../bus/patterns.ts";
import { PayloadError } from "../errors.ts";
import type { Envelope, WebhookRequest } from "../providers/provider.ts";
import { parsePayload } from "../providers/schemes/json.ts";
import { admit } from "./admission.ts";
import { factsOf } from "./facts.ts";
import { genuine, worstResult } from "./failure.ts";
import { filtered } from "./filter.ts";
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
  const request: WebhookRequest = { ...head, headers, body: await readBody(bus.maxBodyBytes) };
  const receivedAt = bus.clock.now();

  // 2 answer what comes unsigned
  const keys = new SoughtKeys(bus, request);
  const greeting = await greet(bus, request, receivedAt, keys);
  if (greeting) return { receipt: acknowledged("challenge", greeting) };

  // 3 verify
  const verification = await verify(bus, request, receivedAt, keys);
  if (verification && !verification.verified) {
    return { receipt: refused(401, "rejected"), reason: verification.reason, hint: hintOf(verification.reason) };
  }

  // 4 read
  const payload = bus.provider.parse ? bus.provider.parse(request) : parsePayload(request.body);

  // 5 answer what comes signed
  const answer =
    verification && bus.provider.handshakes?.afterVerification?.(payload, { request, key: verification.key });
  if (answer) return { receipt: acknowledged("challenge", answer) };

  // 6 retrieve; where a signature was verified, an inbox leaves that to its worker
  const all = await eventsOf(bus, payload, request, verification !== undefined, tools);
  if (all.length === 0) return { receipt: acknowledged("ignored", bus.provider.success), reason: "retriever" };

  // 7 keep, durably: a worker dispatches
  if (inbox && watched) {
    const { method, url, body } = request;
    const { matchedSecret } = verification ?? {};
    const signed =
      matchedSecret === undefined ? undefined : { matchedSecret, request: { method, url, headers: watched.kept() } };
    return record(bus, inbox, { envelopes: all, receivedAt, signed, body }, mount);
  }

  // 7 keep, 8 dispatch; of a delivery that carries many events, the worst one decides
  const events = all.map((envelope) => ({
    envelope,
    facts: factsOf(bus, envelope, verification ? "signature" : "retrieval", verification),
  }));
  const results: Result[] = [];
  for (const { envelope, facts } of events) {
    results.push(await genuine(facts, () => deliver(bus, envelope, facts, mount, tools.leaseMs)));
  }
  return worstResult(results);
}

async function deliver(
  bus: Bus,
  envelope: Envelope,
  facts: DeliveryFacts,
  { types }: Mount,
  leaseMs: number,
): Promise<Result> {
  if (types && !types.some((pattern) => matches(pattern, facts.type, bus.provider.delimiter))) {
    return ignore(bus, envelope, facts, "types", leaseMs);
  }
  const passed = await filtered(bus, envelope.event, facts);
  if (!passed) return ignore(bus, envelope, facts, "filter", leaseMs);
  return handleOnce(bus, passed, envelope.data, leaseMs);
}

async function ignore(
  bus: Bus,
  envelope: Envelope,
  facts: DeliveryFacts,
  reason: string,
  leaseMs: number,
): Promise<Result> {
  const hindrance = envelope.unsigned?.includes("type") ? await useUp(bus, facts, envelope.data, leaseMs) : undefined;
  return hindrance ?? { receipt: acknowledged("ignored", bus.provider.success), reason };
}

/** What the delivery carries, as the retriever has it; nothing where it ignores all of that. */
async function eventsOf(
  bus: Bus,
  payload: unknown,
  request: WebhookRequest,
  signed: boolean,
  { retriever }: Tools,
): Promise<readonly Envelope[]> {
  const retrieve = (posted: Posted): Promise<Envelope | null> =>
    timed(bus, "hookbus.retrieve", () => retriever.retrieve(posted));
  if (!signed) {
    const envelope = await retrieve({ params: paramsOf(payload), request, verifiedBy: "nothing" });
    return envelope ? [envelope] : [];
  }
  const read = bus.provider.read(payload, { request, client: retriever.client });
  const carried = "id" in read ? [read] : read;
  if (carried.length === 0) throw new PayloadError("the delivery holds no event");
  if (!bus.retrieves || bus.inbox) return carried;
  const retrieved: Envelope[] = [];
  for (const each of carried) {
    const envelope = await retrieve(carriedBy(request, payload, read, each));
    if (envelope) retrieved.push(envelope);
  }
  return retrieved;
}
