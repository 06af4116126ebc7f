import type { Bus } from "../bus/bus.ts";
import type { Step } from "../bus/steps.ts";
import { failed } from "./failure.ts";
import type { RetrievalLimits } from "./fetch-guard.ts";
import type { Receipt } from "./receipt.ts";
import { receive, type Tools } from "./receive.ts";
import type { BodyReader, Mount, RequestHead } from "./request.ts";
import { Retriever } from "./retrieve.ts";
import { tellListener } from "./tell-listener.ts";
import type { Result } from "./timed.ts";

export interface ReceiverOptions {
  /** How hard this bus may press the provider's API. */
  readonly retrieval?: Partial<RetrievalLimits>;
  /** How long a claim lives without a heartbeat, in milliseconds; default 30 000. */
  readonly leaseMs?: number;
}

/** Answers one bus's deliveries: runs the pipeline, turns whatever it throws into a receipt, and tells the operator. */
export class Receiver {
  readonly retriever: Retriever;
  readonly #bus: Bus;
  readonly #tools: Tools;

  constructor(bus: Bus, options: ReceiverOptions = {}) {
    this.#bus = bus;
    this.retriever = new Retriever(bus, options.retrieval);
    this.#tools = { retriever: this.retriever, leaseMs: options.leaseMs ?? 30_000 };
  }

  /** Never rejects. */
  respond(head: RequestHead, readBody: BodyReader, mount?: Mount): Promise<Receipt> {
    let started: number | undefined;
    let result: Result | Promise<Result>;
    try {
      // Where nobody listens now, the log alone is told: a listener that comes while a delivery goes on hears of the next.
      if (this.#bus.hears("hookbus.receive")) started = performance.now();
      result = receive(this.#bus, head, readBody, this.#tools, mount);
    } catch (error) {
      result = failed(error);
    }
    if (result instanceof Promise) return this.#awaited(result, started);
    return Promise.resolve(this.#told(result, started));
  }

  async #awaited(promised: Promise<Result>, started: number | undefined): Promise<Receipt> {
    let result: Result;
    try {
      result = await promised;
    } catch (error) {
      result = failed(error);
    }
    return this.#told(result, started);
  }

  #told(result: Result, started: number | undefined): Receipt {
    const { receipt, facts, error, storeError, conflict, others = [] } = result;
    const bus = this.#bus;
    const { outcome, status } = receipt;
    // Of what went well, the log has nothing to say.
    const trouble = status >= 300 || error !== undefined || conflict === true;
    if (started !== undefined) bus.notifications.emitStep(this.#step(result, performance.now() - started));
    // No log tells how long it took.
    else if (trouble) bus.notifications.logStep(this.#step(result, Number.NaN));
    if (outcome === "rejected") return receipt;
    if (error !== undefined) tellListener(bus, error, facts);
    if (storeError !== undefined) tellListener(bus, storeError, facts);
    for (const other of others) {
      // The step is of one event; that another one came with other data than before is not to be lost for that.
      if (other.conflict === true) bus.notifications.logStep(this.#step(other, Number.NaN));
      if (other.error !== undefined) tellListener(bus, other.error, other.facts);
      if (other.storeError !== undefined) tellListener(bus, other.storeError, other.facts);
    }
    return receipt;
  }

  /** Put together at once: to copy it into another object would take as long as all else that a forged header costs. */
  #step({ receipt, reason, hint, facts, error, conflict }: Result, durationMs: number): Step {
    const { name, provider } = this.#bus;
    return {
      name: "hookbus.receive",
      bus: name,
      provider: provider.name,
      durationMs,
      outcome: receipt.outcome,
      status: receipt.status,
      reason,
      hint,
      error,
      conflict,
      id: facts?.id,
      type: facts?.type,
      verifiedBy: facts?.verifiedBy,
      matchedSecret: facts?.matchedSecret,
    };
  }
}
