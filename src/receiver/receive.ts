import type { Bus } from "../bus/bus.ts";
import type { VerifiedBy } from "../bus/context.ts";
import type { Verification, WebhookRequest } from "../providers/provider.ts";
import { admit } from "./admission.ts";
import { factsOf } from "./facts.ts";
import { genuine } from "./failure.ts";
import { filtered } from "./filter.ts";
import { handleOnce } from "./handle-once.ts";
import { hintOf } from "./hints.ts";
import { paramsOf, parsePayload } from "./payload.ts";
import { acknowledged, refused } from "./receipt.ts";
import type { BodyReader, RequestHead } from "./request.ts";
import type { Retriever } from "./retrieve.ts";
import { type Result, timed } from "./timed.ts";

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
export async function receive(bus: Bus, head: RequestHead, readBody: BodyReader, tools: Tools): Promise<Result> {
  bus.assertReady();

  // 1 admit
  const refusal = admit(bus, head);
  if (refusal) return refusal;
  const request: WebhookRequest = { ...head, body: await readBody(bus.maxBodyBytes) };

  // 2 answer what comes unsigned
  const greeting = bus.provider.handshakes?.beforeVerification?.(request);
  if (greeting) return { receipt: acknowledged("challenge", greeting) };

  // 3 verify
  const verification = verify(bus, request);
  if (verification && !verification.verified) {
    return { receipt: refused(401, "rejected"), reason: verification.reason, hint: hintOf(verification.reason) };
  }
  const verifiedBy: VerifiedBy = verification ? "signature" : "nothing";

  // 4 read
  const payload = parsePayload(request.body);
  const params = paramsOf(payload);

  // 5 answer what comes signed
  const answer = verification && bus.provider.handshakes?.afterVerification?.(payload, bus.keys);
  if (answer) return { receipt: acknowledged("challenge", answer) };

  // 6 retrieve
  const envelope = bus.retrieves
    ? await timed(bus, "hookbus.retrieve", () => tools.retriever.retrieve({ params, request, verifiedBy }))
    : bus.provider.read(payload, tools.retriever.client);
  if (!envelope) return { receipt: acknowledged("ignored", bus.provider.success), reason: "retriever" };
  const facts = factsOf(bus, envelope, verification ? "signature" : "retrieval", verification);

  return genuine(facts, async () => {
    const passed = await filtered(bus, envelope.event, facts);
    if (!passed) return { receipt: acknowledged("ignored", bus.provider.success), reason: "filter" };

    // 7 keep, 8 dispatch
    return handleOnce(bus, passed, envelope.data, tools.leaseMs);
  });
}

/** `undefined` where there is nothing to verify with, so that only retrieval can authenticate the delivery. */
function verify(bus: Bus, request: WebhookRequest): Verification | undefined {
  if (bus.keys.length === 0) return undefined;
  const started = performance.now();
  const verification = bus.provider.verify(request, {
    keys: bus.keys,
    now: bus.clock.now(),
    toleranceSeconds: bus.tolerance,
  });
  bus.step({
    name: "hookbus.verify",
    durationMs: performance.now() - started,
    outcome: verification.verified ? "verified" : "rejected",
    ...(verification.verified ? { matchedSecret: verification.matchedSecret } : { reason: verification.reason }),
  });
  return verification;
}
